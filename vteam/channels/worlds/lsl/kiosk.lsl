// A vTeam kiosk for Second Life. //% secondlife
// A vTeam kiosk for OpenSimulator 0.9 and later. //% opensimulator
//
// It shows one line above itself and does nothing until somebody touches it. Whoever touches it, and nobody else, is
// then shown a dialog whose words come from the band's vTeam; what they choose is sent back there, signed.
//
// To set it up: put this script into an object of yours, touch the object, and type the code from the vTeam's page.
// To stop it: take the object up, or delete it. Taken out again, or given away, it has forgotten its key.
//
// Optional: an item named "vTeam flyer" that may be copied and passed on is given to those who take a flyer; a linked
// prim named "listening room" is where songs are listened to.
//
// vTeam is free software: AGPL-3.0-or-later. This source is the same for both worlds, but for a few lines.

string ADDRESS = "https://vteam.example"; //% = address
string LINE = "touch me: the band's vTeam"; //% = line
// Linkset data outlives a reset of the script; only a script that knows this phrase can read it. //% secondlife
string PASS_PHRASE = "made at download"; //% secondlife = pass_phrase
// This world has no linkset data before 0.9.3: the secret lives in a variable of this script. It outlives a restart //% opensimulator
// of the region, but not a reset of the script: then a new code is typed. //% opensimulator

string ENROL = "/world/v1/enrol";
string TOUCH = "/world/v1/touch";
string ACTION = "/world/v1/action";
string PRESENCE = "/world/v1/presence";
string HEARTBEAT = "/world/v1/heartbeat";

string FLYER = "vTeam flyer";
string ROOM = "listening room";

integer HEARTBEAT_S = 300;
integer DIALOG_S = 120;         // a dialog left alone for longer is forgotten
integer WAIT_S = 40;            // whoever waited longer is told, instead of another try
integer ANSWER_S = 90;          // both worlds give up sooner (60 s and 30 s); this is for answers that got lost
integer TRIES = 3;
// A script has 64 KB for itself and all it remembers, two bytes for a character: these keep the lists below a third.
integer WAITING_MAX = 12;       // requests
integer SENT_MAX = 12;          // requests
integer REQUESTS_LENGTH = 5000; // characters, of what waits and what was sent
integer DIALOGS_MAX = 10;       // residents
integer DIALOGS_LENGTH = 4000;  // characters
integer DIALOG_BYTES = 511;     // llDialog and llTextBox shout at everybody from 512 on
integer CHOICES_MAX = 11;       // of llDialog's twelve buttons; one is left for typing
integer LABEL_BYTES = 24;

string kiosk;                   // the key that enrolling gave; empty: not set up
string secret;
string shown;                   // the line above the object
string url;                     // where the platform may push another line
key url_asked;
integer pushed_at;              // the time of the last push that was believed
integer heartbeat_at;
integer pausing;                // the last request left less than a second ago

// Several residents may be served at once, so nothing here is about "the" resident. Rows of fixed width:
list waiting;                   // path, avatar, body, tries, since
list sent;                      // request, path, avatar, body, tries, since
list dialogs;                   // avatar, until, kind, choices, ask
integer WAITING = 5;
integer SENT = 6;
integer DIALOGS = 5;

integer channel;                // of buttons, 0 while no dialog is open; what is typed comes on the one below it
integer buttons_heard;          // the two listens
integer typing_heard;


// Words and bytes ---------------------------------------------------------------------------------------------------

string in_language(string avatar, string english, string french)
{
    // Empty where the viewer or the grid does not tell.
    if (llGetSubString(llGetAgentLanguage(avatar), 0, 1) == "fr") return french;
    return english;
}

string replaced(string text, string what, string by)
{
    return llDumpList2String(llParseStringKeepNulls(text, [what], []), by);
}

// A JSON string. llList2Json would turn what a resident typed into a list where it looks like one ("[1]"), and the two
// worlds differ in what it escapes.
string quoted(string text)
{
    text = replaced(replaced(text, "\\", "\\\\"), "\"", "\\\"");
    text = replaced(replaced(text, "\n", "\\n"), llUnescapeURL("%0D"), "");
    return "\"" + replaced(text, llUnescapeURL("%09"), " ") + "\"";
}

// A value of a JSON object; empty where there is none, or where this is no JSON.
string value(string json, string name)
{
    string found = llJsonGetValue(json, [name]);
    if (found == JSON_INVALID || found == JSON_NULL) return "";
    return found;
}

integer bytes(string text)
{
    string base64 = llStringToBase64(text);
    integer size = llStringLength(base64) / 4 * 3;
    if (llGetSubString(base64, -1, -1) == "=") --size;
    if (llGetSubString(base64, -2, -2) == "=") --size;
    return size;
}

// The text cut to so many bytes of UTF-8. A character has at most four, so this never cuts more than it must by much.
string fit(string text, integer limit)
{
    integer step;
    text = llGetSubString(text, 0, limit - 1);
    integer over = bytes(text) - limit;
    for (step = 0; step < 64 && over > 0; ++step)
    {
        text = llDeleteSubString(text, -((over + 3) / 4), -1);
        over = bytes(text) - limit;
    }
    return text;
}

// The first row whose column holds what is wanted; -1: none.
integer row_of(list rows, integer width, integer column, string wanted)
{
    integer i;
    integer length = llGetListLength(rows);
    for (i = column; i < length; i += width)
    {
        if (llList2String(rows, i) == wanted) return i - column;
    }
    return -1;
}

// So many, in all rows together.
integer characters(list rows)
{
    integer sum;
    integer i;
    integer cells = llGetListLength(rows);
    for (i = 0; i < cells; ++i) sum += llStringLength(llList2String(rows, i));
    return sum;
}

list without(list rows, integer width, integer row)
{
    return llDeleteSubList(rows, row, row + width - 1);
}


// What is seen ------------------------------------------------------------------------------------------------------

set_line(string line)
{
    line = fit(replaced(line, "\n", " "), 254);
    if (line == "" || line == shown) return;
    shown = line;
    llSetText(shown, <1.0, 1.0, 1.0>, 1.0);
}

tell(string avatar, string text)
{
    if (avatar != "") llRegionSayTo(avatar, 0, fit(text, 1000));
}

sorry(string avatar)
{
    if (avatar == "") return;
    tell(avatar, in_language(avatar,
        "I cannot reach the vTeam just now. Please touch me again in a few minutes.",
        "Je n'arrive pas à joindre la vTeam. Touche-moi de nouveau dans quelques minutes."));
}

string set_up_label(string avatar)
{
    return in_language(avatar, "Set up", "Configurer");
}

string write_label(string avatar)
{
    return in_language(avatar, "Write", "Écrire");
}

// What an avatar's dialog will mean, on the two channels that are open while anybody has one.
expect(string avatar, string kind, string choices, string ask)
{
    integer row = row_of(dialogs, DIALOGS, 0, avatar);
    if (row >= 0) dialogs = without(dialogs, DIALOGS, row);
    list opened = [avatar, llGetUnixTime() + DIALOG_S, kind, choices, ask];
    integer room = DIALOGS_LENGTH - characters(opened);
    integer step;
    // The oldest gives way: who answers it all the same is told to touch again.
    for (step = 0; step < DIALOGS_MAX && dialogs != []; ++step)
    {
        if (llGetListLength(dialogs) >= DIALOGS_MAX * DIALOGS || characters(dialogs) > room)
            dialogs = without(dialogs, DIALOGS, 0);
    }
    dialogs += opened;
    if (channel == 0)
    {
        channel = -1000000 - (integer)llFrand(2000000000.0);
        buttons_heard = llListen(channel, "", "", "");
        typing_heard = llListen(channel - 1, "", "", "");
    }
    schedule();
}

hush()
{
    if (channel == 0 || dialogs != []) return;
    llListenRemove(buttons_heard);
    llListenRemove(typing_heard);
    channel = 0;
}

show_text(string avatar, string text)
{
    // Nobody listens for "OK": any channel of our own will do.
    llDialog(avatar, fit(text, DIALOG_BYTES), ["OK"], -1000000 - (integer)llFrand(2000000000.0));
}

ask_code(string avatar)
{
    expect(avatar, "code", "", "");
    llTextBox(avatar, in_language(avatar,
        "Please type the kiosk's code from your vTeam's page.",
        "Tape le code de la borne, qui se trouve sur la page de ta vTeam."), channel - 1);
}

ask_text(string avatar, string text, string ask)
{
    if (text == "") text = in_language(avatar, "Write here:", "Écris ici :");
    expect(avatar, "ask", "", ask);
    llTextBox(avatar, fit(text, DIALOG_BYTES), channel - 1);
}

// Dialogs are read from the top left, but llDialog fills its rows of three from the bottom: a short row is the top one.
list from_the_top(list labels)
{
    list rows;
    integer i;
    for (i = llGetListLength(labels); i >= 3; i -= 3) rows += llList2List(labels, i - 3, i - 1);
    if (i > 0) rows += llList2List(labels, 0, i - 1);
    return rows;
}

// One half of a choice: 0 is its identifier, 1 its label. JSON_INVALID past the last one.
string half(string choices, integer i, integer which)
{
    return llJsonGetValue(llJsonGetValue(choices, [i]), [which]);
}

list labels_of(string choices)
{
    list labels;
    integer i;
    for (i = 0; i < CHOICES_MAX; ++i)
    {
        string label = half(choices, i, 1);
        if (label == JSON_INVALID || label == "") return labels;
        labels += fit(label, LABEL_BYTES);
    }
    return labels;
}

// A page, shown to the one whose touch or choice it answers.
show(string avatar, string page)
{
    string text = value(page, "text");
    if (text == "") { sorry(avatar); return; }
    set_line(value(page, "line"));
    string opened = value(page, "open");
    if (opened != "") open(avatar, opened);
    string title = value(page, "title");
    if (title != "" && bytes(title + text) <= DIALOG_BYTES - 2) text = title + "\n\n" + text;
    string choices = value(page, "choices");
    string ask = value(page, "ask");
    list labels = labels_of(choices);
    if (labels == [] && ask == "") { show_text(avatar, text); return; }
    if (labels == [])
    {
        string question = value(ask, "label");
        if (bytes(text + question) <= DIALOG_BYTES - 2) question = text + "\n\n" + question;
        else tell(avatar, text);
        ask_text(avatar, question, ask);
        return;
    }
    if (ask != "") labels += write_label(avatar);
    expect(avatar, "page", choices, ask);
    llDialog(avatar, fit(text, DIALOG_BYTES), from_the_top(labels), channel);
}

// An address may be this resident's own secret: it is shown to them alone.
open(string avatar, string opened)
{
    string address = value(opened, "address");
    if (llSubStringIndex(address, "https://") != 0 && llSubStringIndex(address, "http://") != 0) return;
    if (bytes(address) > 250) return;
    llLoadURL(avatar, fit(value(opened, "label"), 250), address);
    if (value(opened, "flyer") != JSON_TRUE) return;
    string note = value(opened, "note");
    if (note != "") note = "\n" + note;
    tell(avatar, in_language(avatar, "To pass on: ", "À faire passer : ") + address + note);
    integer may = PERM_COPY | PERM_TRANSFER;
    if (llGetInventoryType(FLYER) == INVENTORY_NONE) return;
    if ((llGetInventoryPermMask(FLYER, MASK_OWNER) & may) == may) llGiveInventory(avatar, FLYER);
}


// The key and the secret --------------------------------------------------------------------------------------------

// Named after its phrase: what an earlier script left under another phrase can be neither read nor overwritten. //% secondlife
string record() //% secondlife
{ //% secondlife
    return "vTeam " + llGetSubString(llSHA256String(PASS_PHRASE), 0, 7); //% secondlife
} //% secondlife

remember(string new_kiosk, string new_secret)
{
    kiosk = new_kiosk;
    secret = new_secret;
    llLinksetDataWriteProtected(record(), kiosk + " " + secret, PASS_PHRASE); //% secondlife
}

recall()
{
    list kept = llParseString2List(llLinksetDataReadProtected(record(), PASS_PHRASE), [" "], []); //% secondlife
    kiosk = llList2String(kept, 0); //% secondlife
    secret = llList2String(kept, 1); //% secondlife
}

// They are bound to the owner and to this one object: a copy would push and be pushed to under the same key.
forget()
{
    llLinksetDataDeleteProtected(record(), PASS_PHRASE); //% secondlife
    kiosk = "";
    secret = "";
    if (url != "") llReleaseURL(url);
    url = "";
    url_asked = NULL_KEY;
    drop_all();
    set_line(LINE);
}

drop_all()
{
    waiting = [];
    sent = [];
    dialogs = [];
    pausing = FALSE; // should the timer that ends it have been lost
    hush();
    schedule();
}

string signature(string message)
{
    return llSHA256String(secret + ":" + llSHA256String(secret + ":" + message));
}


// Requests: at most one a second, which both worlds bear --------------------------------------------------------------

list headers(string path, string body)
{
    string time = (string)llGetUnixTime();
    string nonce = (string)llGenerateKey();
    string mark = signature(kiosk + "\n" + time + "\n" + nonce + "\n" + path + "\n" + body);
    return [HTTP_CUSTOM_HEADER, "X-VTeam-Key", kiosk, HTTP_CUSTOM_HEADER, "X-VTeam-Time", time,
        HTTP_CUSTOM_HEADER, "X-VTeam-Nonce", nonce, HTTP_CUSTOM_HEADER, "X-VTeam-Sig", mark];
}

integer is_served(string avatar)
{
    return row_of(waiting, WAITING, 1, avatar) >= 0 || row_of(sent, SENT, 2, avatar) >= 0;
}

enqueue(string path, string avatar, string body)
{
    waiting += [path, avatar, body, 0, llGetUnixTime()];
    send_next();
}

// A touch on its way, whose answer nobody needs any more: what they say meanwhile is answered.
give_way(string avatar)
{
    integer row = row_of(waiting, WAITING, 1, avatar);
    if (row >= 0 && llList2String(waiting, row) == TOUCH) waiting = without(waiting, WAITING, row);
    row = row_of(sent, SENT, 2, avatar);
    if (row >= 0 && llList2String(sent, row + 1) == TOUCH) sent = without(sent, SENT, row);
}

// What a resident wants to know or to say; one thing at a time.
ask_platform(string path, string avatar, string body)
{
    if (path != TOUCH) give_way(avatar);
    if (is_served(avatar)) return;
    integer room = REQUESTS_LENGTH - characters(waiting) - characters(sent);
    if (llGetListLength(waiting) < WAITING_MAX * WAITING && llStringLength(body) < room) enqueue(path, avatar, body);
    else tell(avatar, in_language(avatar,
        "Many people are touching me just now. Please try again in a moment.",
        "Beaucoup de monde me touche en ce moment. Réessaie dans un instant."));
}

// Signed as it leaves: after a pause or a failure the time and the nonce are fresh.
send_next()
{
    if (pausing || waiting == [] || llGetListLength(sent) >= SENT_MAX * SENT) return;
    string path = llList2String(waiting, 0);
    string body = llList2String(waiting, 2);
    list options = [HTTP_METHOD, "POST", HTTP_MIMETYPE, "application/json", HTTP_BODY_MAXLENGTH, 4096,
        HTTP_VERIFY_CERT, TRUE, HTTP_VERBOSE_THROTTLE, FALSE];
    if (path != ENROL) options += headers(path, body);
    string request = (string)llHTTPRequest(ADDRESS + path, options, body);
    pausing = TRUE;
    llSetTimerEvent(1.0);
    // Refused by the world's own limits, which other scripts count towards too: it stays the first in the row.
    if (request == "" || request == (string)NULL_KEY) return;
    sent += [request] + llList2List(waiting, 0, WAITING - 1);
    waiting = without(waiting, WAITING, 0);
}

// The one timer serves the pause between requests, what grew old, and the heartbeat; it rests where there is none.
schedule()
{
    if (pausing) return;
    integer next;
    if (kiosk != "") next = heartbeat_at - llGetUnixTime();
    if (kiosk != "" && next < 1) next = 1;
    if ((dialogs != [] || sent != []) && (next == 0 || next > 10)) next = 10;
    if (waiting != []) next = 1;
    llSetTimerEvent((float)next);
}

grow_old()
{
    integer now = llGetUnixTime();
    integer i;
    for (i = llGetListLength(dialogs) - DIALOGS; i >= 0; i -= DIALOGS)
    {
        if (llList2Integer(dialogs, i + 1) < now) dialogs = without(dialogs, DIALOGS, i);
    }
    hush();
    for (i = llGetListLength(waiting) - WAITING; i >= 0; i -= WAITING)
    {
        if (now - llList2Integer(waiting, i + 4) > WAIT_S)
        {
            sorry(llList2String(waiting, i + 1));
            waiting = without(waiting, WAITING, i);
        }
    }
    for (i = llGetListLength(sent) - SENT; i >= 0; i -= SENT)
    {
        if (now - llList2Integer(sent, i + 5) > ANSWER_S)
        {
            sorry(llList2String(sent, i + 2));
            sent = without(sent, SENT, i);
        }
    }
}


// What is said to the platform --------------------------------------------------------------------------------------

string who(string avatar, string name)
{
    return "\"avatar\":" + quoted(avatar) + ",\"name\":" + quoted(llGetSubString(name, 0, 63))
        + ",\"language\":" + quoted(llGetAgentLanguage(avatar));
}

touched(string avatar, string name, integer at_room)
{
    if (kiosk == "")
    {
        if (avatar == (string)llGetOwner()) ask_code(avatar);
        else tell(avatar, in_language(avatar, "I am not set up yet.", "Je ne suis pas encore configurée."));
        return;
    }
    string body = who(avatar, name);
    if (at_room) body += ",\"at\":\"room\"";
    ask_platform(TOUCH, avatar, "{" + body + "}");
}

choose(string avatar, string name, string choice, string text)
{
    string body = who(avatar, name);
    if (choice == "here")
    {
        ask_platform(PRESENCE, avatar, "{" + body + "}");
        return;
    }
    body += ",\"choice\":" + quoted(choice);
    if (text != "") body += ",\"text\":" + quoted(text);
    ask_platform(ACTION, avatar, "{" + body + "}");
}

integer room_link()
{
    integer link;
    integer links = llGetNumberOfPrims();
    for (link = 1; link <= links && link <= 256; ++link)
    {
        if (llGetLinkName(link) == ROOM) return link;
    }
    return -1;
}

heartbeat()
{
    list parts;
    integer room = room_link();
    if (url != "") parts += "\"url\":" + quoted(url);
    if (room > 0)
    {
        vector at = llList2Vector(llGetLinkPrimitiveParams(room, [PRIM_POSITION]), 0);
        parts += "\"room\":\"(" + (string)llRound(at.x) + ", " + (string)llRound(at.y) + ", "
            + (string)llRound(at.z) + ")\"";
    }
    heartbeat_at = llGetUnixTime() + HEARTBEAT_S;
    if (!is_served("")) enqueue(HEARTBEAT, "", "{" + llDumpList2String(parts, ",") + "}");
    schedule();
}

// Plain http on purpose. In Second Life https addresses of objects show Linden Lab's own certificate, which nobody
// else's software trusts; and a push holds only a line that anyone can read above the object, and is signed.
ask_url()
{
    if (url != "") llReleaseURL(url);
    url = "";
    heartbeat_at = llGetUnixTime() + 10;
    url_asked = llRequestURL();
    schedule();
}


// What the platform says --------------------------------------------------------------------------------------------

enrolled(string avatar, string answer)
{
    if (value(answer, "key") == "" || value(answer, "secret") == "") { sorry(avatar); return; }
    remember(value(answer, "key"), value(answer, "secret"));
    set_line(value(answer, "line"));
    ask_url();
    string text = value(answer, "text");
    if (text != "") show_text(avatar, text);
}

refused(string avatar, integer status, string answer)
{
    string text = value(answer, "text");
    if (avatar == "")
    {
        // A heartbeat: closed, or another object stands for it now. What was announced here is so no longer.
        if (status == 403) set_line(LINE);
        return;
    }
    if (text == "") { sorry(avatar); return; }
    // A clock that is wrong, or a kiosk that was closed, no code mends.
    integer mended = llListFindList(["unknown", "wrong", "owner", "shard", "code"], [value(answer, "why")]) != -1;
    if (status != 403 || !mended || avatar != (string)llGetOwner()) { show_text(avatar, text); return; }
    expect(avatar, "setup", "", "");
    llDialog(avatar, fit(text, DIALOG_BYTES), [set_up_label(avatar), "OK"], channel);
}

// A push is believed when it is signed, fresh, and later than the one before.
integer is_believed(string push)
{
    string time = value(push, "time");
    integer at = (integer)time;
    integer age = llGetUnixTime() - at;
    if (secret == "" || age > 300 || age < -300 || at <= pushed_at) return FALSE;
    if (value(push, "sig") != signature("push\n" + time + "\n" + value(push, "line"))) return FALSE;
    pushed_at = at;
    return TRUE;
}

too_late(string avatar)
{
    tell(avatar, in_language(avatar, "That was a while ago. Please touch me again.",
        "C'était il y a un moment. Touche-moi de nouveau."));
}

heard(string avatar, string name, string said, integer was_typed)
{
    integer row = row_of(dialogs, DIALOGS, 0, avatar);
    if (row < 0 || llList2Integer(dialogs, row + 1) < llGetUnixTime())
    {
        too_late(avatar);
        return;
    }
    string kind = llList2String(dialogs, row + 2);
    string choices = llList2String(dialogs, row + 3);
    string ask = llList2String(dialogs, row + 4);
    integer to_be_typed = kind == "ask" || kind == "code";
    // An older dialog may still be on their screen: what only that one had, or asked for, comes too late.
    if (was_typed != to_be_typed || (kind == "page" && !is_offered(avatar, said, choices, ask)))
    {
        too_late(avatar);
        return;
    }
    dialogs = without(dialogs, DIALOGS, row);
    if (kind == "page") { picked(avatar, name, said, choices, ask); return; }
    string typed = llGetSubString(llStringTrim(said, STRING_TRIM), 0, 399);
    if (typed == "") return;
    // Only the owner is ever asked the other two.
    if (kind == "ask") choose(avatar, name, value(ask, "choice"), typed);
    else if (kind == "code") ask_platform(ENROL, avatar, "{\"code\":" + quoted(llGetSubString(typed, 0, 39)) + "}");
    else if (typed == set_up_label(avatar)) ask_code(avatar);
}

integer is_offered(string avatar, string label, string choices, string ask)
{
    return llListFindList(labels_of(choices), [label]) >= 0 || (ask != "" && label == write_label(avatar));
}

picked(string avatar, string name, string label, string choices, string ask)
{
    integer i = llListFindList(labels_of(choices), [label]);
    if (i >= 0) choose(avatar, name, half(choices, i, 0), "");
    else ask_text(avatar, value(ask, "label"), ask);
}


default
{
    state_entry()
    {
        recall();
        set_line(LINE);
        if (kiosk != "") ask_url();
    }

    on_rez(integer start)
    {
        forget();
    }

    changed(integer change)
    {
        if (change & CHANGED_OWNER) forget();
        // Addresses, requests and dialogs end with the region; the key does not.
        else if (change & (CHANGED_REGION_START | CHANGED_REGION | CHANGED_TELEPORT))
        {
            drop_all();
            if (kiosk != "") ask_url();
        }
    }

    touch_start(integer total)
    {
        integer i;
        for (i = 0; i < total; ++i)
        {
            touched((string)llDetectedKey(i), llDetectedName(i), llGetLinkName(llDetectedLinkNumber(i)) == ROOM);
        }
    }

    listen(integer on, string name, key id, string said)
    {
        // Avatars only: an object that found the channel is nobody's choice.
        if (llGetOwnerKey(id) == id) heard((string)id, name, said, on != channel);
        hush();
    }

    timer()
    {
        pausing = FALSE;
        grow_old();
        if (kiosk != "" && llGetUnixTime() >= heartbeat_at) heartbeat();
        send_next();
        schedule();
    }

    http_response(key request, integer status, list metadata, string answer)
    {
        integer row = row_of(sent, SENT, 0, (string)request);
        if (row < 0) return;
        list row_sent = llList2List(sent, row + 1, row + SENT - 1);
        string path = llList2String(row_sent, 0);
        string avatar = llList2String(row_sent, 1);
        integer tries = llList2Integer(row_sent, 3) + 1;
        sent = without(sent, SENT, row);
        // 499 is the worlds' word for "no answer"; 502 to 504 come from a proxy whose platform is just restarting.
        integer lost = status == 499 || (status >= 502 && status <= 504);
        if (lost && tries < TRIES && llGetUnixTime() - llList2Integer(row_sent, 4) < WAIT_S)
        {
            waiting += llListReplaceList(row_sent, [tries], 3, 3);
            send_next();
        }
        else if (status != 200) refused(avatar, status, answer);
        else if (path == HEARTBEAT) set_line(value(answer, "line"));
        else if (path == ENROL) enrolled(avatar, answer);
        else show(avatar, answer);
        schedule();
    }

    http_request(key id, string method, string body)
    {
        if (method == URL_REQUEST_GRANTED || method == URL_REQUEST_DENIED)
        {
            if (id == url_asked)
            {
                url_asked = NULL_KEY;
                if (method == URL_REQUEST_GRANTED) url = body;
                heartbeat();
            }
            // Asked for twice, or wanted no longer: addresses are the region's, and not to be hoarded.
            else if (method == URL_REQUEST_GRANTED && body != url) llReleaseURL(body);
        }
        else if (method != "POST") llHTTPResponse(id, 405, "");
        else if (is_believed(body))
        {
            set_line(value(body, "line"));
            llHTTPResponse(id, 200, "");
        }
        else llHTTPResponse(id, 403, "");
    }
}
