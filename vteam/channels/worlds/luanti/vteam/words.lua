-- What the mod itself says in forms, in the language of the one player who sees it.
-- Descriptions and hover lines are the same for all players: those are in locale/.
-- SPDX-License-Identifier: AGPL-3.0-or-later

local languages = {}

languages.en = {
	close = "Close",
	send = "Send",
	waiting = "One moment…",
	unreachable = "The kiosk can't reach the vTeam right now. Nothing is lost: try again in a few minutes.",
	not_yet = "This kiosk is not set up yet. Its owner, @1, can do that by touching it.",
	nobodys = "This kiosk is not set up yet, and nobody owns it: a server's operator must place it anew.",
	no_http = "This server does not let the vTeam mod use the network yet. Its owner must add vteam to"
		.. " secure.http_mods in minetest.conf, and restart it.",
	no_address = "This server does not know where its vTeam is. Its owner must set vteam_address in"
		.. " minetest.conf, and restart it.",
	no_kiosk = "This listening room has no kiosk yet: @1 must set one up in this world.",
	far = "You have gone too far away. Come back to the kiosk and touch it.",
	enrol_title = "Set up this kiosk",
	enrol_text = "Organisers find a code on their campaign's page under Virtual worlds, fans under Kiosks I host."
		.. " It is good once, within 24 hours.",
	enrol_label = "Code",
	enrol_send = "Set up",
	enrol_empty = "Type the code first.",
	enrolled = "This kiosk is set up.",
	not_kept = "The kiosk could not be set up: it is not there any more, or too far away. Place it again or go back to"
		.. " it, touch it, and type the same code within ten minutes.",
	address_hint = "Click into it, then Ctrl+A and Ctrl+C: now paste it into your browser.",
	address_open = "Open in my browser",
	take_flyer = "Take a flyer",
	flyer_taken = "It is in your inventory: use it to read it, or hand it on.",
	flyer_no_room = "Your inventory is full.",
	flyer_text = "Somebody handed you this. Open it if you like.",
	flyer_blank = "This flyer is blank.",
}

languages.fr = {
	close = "Fermer",
	send = "Envoyer",
	waiting = "Un instant…",
	unreachable = "La borne n'arrive pas à joindre la vTeam pour l'instant. Rien n'est perdu : réessaie dans"
		.. " quelques minutes.",
	not_yet = "Cette borne n'est pas encore installée. @1, à qui elle appartient, peut le faire en la touchant.",
	nobodys = "Cette borne n'est pas encore installée et n'appartient à personne : la personne qui gère le serveur"
		.. " doit la poser de nouveau.",
	no_http = "Ce serveur ne laisse pas encore le mod vTeam utiliser le réseau. La personne qui le gère doit ajouter"
		.. " vteam à secure.http_mods dans minetest.conf, puis le relancer.",
	no_address = "Ce serveur ne sait pas où se trouve sa vTeam. La personne qui le gère doit indiquer vteam_address"
		.. " dans minetest.conf, puis le relancer.",
	no_kiosk = "Cette salle d'écoute n'a pas encore de borne : @1 doit en installer une dans ce monde.",
	far = "Tu es trop loin. Reviens à la borne et touche-la.",
	enrol_title = "Installer cette borne",
	enrol_text = "Le code se trouve sur la page de la campagne, sous « Mondes virtuels » (organisation) ou « Les bornes que j'accueille » (fans)."
		.. " Il sert une fois, pendant 24 heures.",
	enrol_label = "Code",
	enrol_send = "Installer",
	enrol_empty = "Il faut d'abord saisir le code.",
	enrolled = "Cette borne est installée.",
	not_kept = "La borne n'a pas pu être installée : elle n'est plus là, ou tu en es trop loin. Pose-la de nouveau ou"
		.. " reviens-y, touche-la et saisis le même code dans les dix minutes.",
	address_hint = "Clique dedans, puis Ctrl+A et Ctrl+C : il ne reste qu'à la coller dans ton navigateur.",
	address_open = "Ouvrir dans mon navigateur",
	take_flyer = "Prendre un tract",
	flyer_taken = "Il est dans ton inventaire : utilise-le pour le lire, ou donne-le.",
	flyer_no_room = "Ton inventaire est plein.",
	flyer_text = "Quelqu'un t'a donné ceci. Ouvre-le si tu veux.",
	flyer_blank = "Ce tract est vierge.",
}

-- The table for a language code as Minetest tells it ("fr", "fr_CA", ""); English where there is no other.
return function(code)
	return languages[(code or ""):lower():match("^%a+")] or languages.en
end
