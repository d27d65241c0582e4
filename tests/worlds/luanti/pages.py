"""Pages as the platform answers them: the largest the contract allows, one that asks, one to open, a hostile one."""

from tests.worlds.luanti.door import LINE, WELCOME

LONG = {
    "title": "La vTeam de Lune Noire : la marée haute arrive vendredi !",
    "text": "Tu as 1 250 points : 12e sur 640. Plus que 120 points et tu passes devant la bande du vendredi soir.\n"
    "Aujourd'hui, trois missions comptent double : faire circuler « Les digues », amener quelqu'un au concert de "
    "samedi, et apporter une affiche près du phare. Chaque point a son histoire, que n'importe qui peut vérifier "
    "dans les comptes ouverts. Ce que tu gagnes ici reste à toi, même si l'artiste reprend le titre plus tard. "
    "Merci de faire vivre cette musique avec nous tous, cher Second Fan.",
    "choices": [
        ["missions", "Missions du jour"],
        ["ranking", "Classement"],
        ["here", "Je suis là"],
        ["room", "Salle d'écoute"],
        ["crew", "Ma bande"],
        ["books", "Comptes ouverts"],
        ["proposals", "Propositions"],
        ["flyer", "Prendre un tract"],
        ["bring:poster", "Apporter une affiche"],
        ["link", "Relier mon avatar"],
        ["stop", "Ne plus me compter"],
    ],
    "line": LINE,
}
ASKS = WELCOME | {
    "text": "A poster near the lighthouse counts 50 points. Where does yours stand?",
    "ask": {"choice": "bring:poster", "label": "What is it, and where does it stand?"},
}
OPENS = WELCOME | {
    "text": "Open this address in the next ten minutes: it links this avatar to your account. It is for you alone.",
    "open": {
        "address": "https://vteam.example/link/4f9c2ab17d",
        "label": "Link this avatar to your account",
        "flyer": False,
    },
}
AD = "Ad: I'm on Lune Noire's vTeam and earn points towards prizes."
FLYER = WELCOME | {
    "text": "Here is a flyer. Hand it on to whoever you like.",
    "open": {
        "address": "https://vteam.example/r/k7q2m9",
        "label": "Lune Noire's vTeam",
        "flyer": True,
        "note": AD,
    },
}
HOSTILE_WORDS = (
    "];[,\\ button[0,0;9,9;choice_9;mine] \x1b(c@#ff0000)red\x1b(T@vteam)x\x1bE"
    " <img name=vteam_main.png> </b> $x"
)
HOSTILE = {
    "title": "]exit[;" + HOSTILE_WORDS,
    "text": HOSTILE_WORDS + "\nformspec_version[1]\x00\x07\u202e\\",
    "choices": [["a];b", "];button[0,0;1,1;x;y]"], ["b", "<b>\\"], ["", "no identifier"], "nonsense", ["c"]],
    "ask": {"choice": "c];[", "label": HOSTILE_WORDS},
    "open": {"address": "https://vteam.example/?a=[1];b=2,3", "label": HOSTILE_WORDS, "flyer": True},
    "line": "one\ntwo " + HOSTILE_WORDS,
}
