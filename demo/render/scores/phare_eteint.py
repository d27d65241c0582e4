"""Phare éteint: A minor, 76 to the minute. A dub at night: melodica and its echoes, a deep bass, the sea near by.

One drop: the bass drum and the cross-stick fall together on the third beat. In the middle all but the bass, the
echoes and the water go out, as the lamp did.
"""

from demo.render.score import Section, Title, Track

VERSE_CHORDS = "Am9 | Fmaj7 | Dm9 | Em7 | Am9 | Fmaj7 | Dm9 | E7"
CHORUS_CHORDS = "Fmaj7 | G6 | Em7 | Am7 | Fmaj7 | G6 | Cmaj7 | E7b9"

VERSE_MELODY = """
-:2 E5:2 D5:1 C5:1 B4:2 | C5:3 A4:5~ | -:2 F5:2! E5:1 D5:1 C5:2 | D5:3 B4:3~ -:2 |
-:2 E5:2 D5:1 C5:1 E5:2 | A5:3! G5:1 E5:4 | F5:2 E5:1 D5:1 -:1 C5:1 D5:2 | C5:1 B4:3 G#4:4~
"""
CHORUS_MELODY = """
A5:3! G5:1 E5:2 C5:2 | D5:3 E5:1 G5:4 | G5:3! E5:1 D5:2 B4:2 | C5:6 -:2 |
A5:3! G5:1 E5:2 C5:2 | D5:2 E5:1 G5:2 A5:1 B5:2! | G5:4 E5:4 | F5:1 E5:3 D5:1 B4:3~
"""
LAST_MELODY = "-:2 E5:2 D5:1 C5:1 B4:2 | C5:3 A4:5~ | -:2 E5:2~ D5:1 C5:1 B4:2~ | A4:8~"

ROOTS = "1:3 -:1 1:1 5:1 3:1 5:1 | 1:3 -:1 8:1 5:1 -:1 ^:1"
ROOTS_UP = "1:2 1:1 5:1 -:1 3:1 5:2 | 1:3 5:1 8:2 5:1 ^:1"
ONE_DROP = {
    "kick": "........X.......|........X.....o.",
    "rim": "........X.......|........X.......|........X.......|........X..o..o.",
    "hat": "x.oox.o.x.oox.o.|x.oox.o.x.o.x.oo",
    "shaker": "o.x.o.x.o.x.o.x.",
}
KEYS = "x-----..x---....|x-----......x---"
CHOP = "....x.......x..."

PHARE_ETEINT = Title(
    slug="phare-eteint",
    name="Phare éteint",
    track_number=2,
    bpm=76,
    key="A",
    mode="minor",
    seed=20270102,
    swing=0.2,
    ring_s=4.4,
    room_s=3.0,
    echo_steps=3,
    echo_feedback=0.6,
    loudness_lufs=-15.0,
    tracks={
        "kick": Track(
            reads="hits", instrument="deep_kick", level_lufs=-24.5, room=0.04, loose_ms=3, late_ms=4
        ),
        "rim": Track(
            reads="hits", instrument="rim", level_lufs=-31.5, pan=0.12, room=0.35, echo=0.22, late_ms=6
        ),
        "snare": Track(reads="hits", instrument="snare", level_lufs=-30.0, pan=0.05, room=0.6, echo=0.5),
        "hat": Track(reads="hits", instrument="hat", level_lufs=-36.0, pan=0.3, room=0.1, loose_ms=5),
        "shaker": Track(reads="hits", instrument="shaker", level_lufs=-38.0, pan=-0.4, room=0.15, loose_ms=6),
        "bass": Track(
            reads="bass", instrument="dub_bass", level_lufs=-20.0, centre=33, gate=0.92, room=0.0, late_ms=8
        ),
        "piano": Track(
            reads="chords",
            instrument="electric_piano",
            level_lufs=-25.0,
            centre=65,
            room=0.3,
            echo=0.05,
            strum_ms=9,
            loose_ms=8,
            shape=("low-cut", "chorus", "tremolo", "clear"),
        ),
        "skank": Track(
            reads="chords",
            instrument="skank_guitar",
            level_lufs=-28.0,
            pan=-0.5,
            centre=67,
            room=0.3,
            echo=0.5,
            strum_ms=6,
            shape=("thin", "soft"),
        ),
        "pad": Track(
            reads="chords", instrument="pad", level_lufs=-30.0, centre=58, room=0.5, shape=("low-cut", "wide")
        ),
        "choir": Track(reads="melody", instrument="choir", level_lufs=-29.0, room=0.6),
        "lead": Track(
            reads="melody",
            instrument="melodica",
            level_lufs=-21.5,
            pan=0.05,
            room=0.38,
            echo=0.4,
            gate=0.93,
            late_ms=14,
            loose_ms=9,
            shape=("soft",),
        ),
        "guitar": Track(
            reads="arpeggio",
            instrument="clean_guitar",
            level_lufs=-31.0,
            pan=0.45,
            centre=60,
            room=0.4,
            echo=0.3,
            gate=3.0,
            shape=("wide", "soft"),
        ),
        "surf": Track(reads="hits", instrument="surf", level_lufs=-33.0, gate=1.0, room=0.2),
        "horn": Track(reads="melody", instrument="foghorn", level_lufs=-30.0, pan=-0.25, room=0.9, gate=1.0),
        "bell": Track(reads="melody", instrument="buoy_bell", level_lufs=-36.0, pan=0.5, room=0.8, echo=0.2),
    },
    sections=(
        Section(
            name="intro",
            chords="Am9 | Fmaj7",
            level_db=-1.5,
            parts={
                "surf": "x---------------|x---------------",
                "horn": "A2:6 -:2 | -:8",
                "bell": "-:8 | -:2 E5:2~ -:4",
                "piano": "x---------------|x-------x---x---",
                "pad": "x---------------",
                "bass": "-:8 | -:4 1:2 5:1 ^:1",
                "rim": "................|..............oo",
            },
        ),
        Section(
            name="verse",
            chords=VERSE_CHORDS,
            level_db=-1.0,
            parts={
                **ONE_DROP,
                "bass": ROOTS,
                "piano": KEYS,
                "skank": CHOP,
                "lead": VERSE_MELODY,
                "pad": "x---------------",
            },
            levels_db={"pad": -4.0, "shaker": -3.0, "lead": 2.0},
        ),
        Section(
            name="chorus",
            chords=CHORUS_CHORDS,
            parts={
                **ONE_DROP,
                "bass": ROOTS_UP,
                "piano": KEYS,
                "skank": CHOP,
                "lead": CHORUS_MELODY,
                "pad": "x---------------",
                "choir": "C5:8 | B4:8 | B4:8 | A4:8 | C5:8 | D5:8 | E5:8 | D5:4 B4:4",
                "guitar": ". . . . . . 0 . 1 . 2 . 3 . . .",
                "bell": "A5:8~ | -:8 | -:8 | -:8 | A5:8~ | -:8 | -:8 | -:8",
            },
        ),
        Section(
            name="lamp out",
            chords="Am9 | Am9 | Fmaj7 | E7b9",
            level_db=-1.5,
            parts={
                "bass": "1:3 -:1 5:1 3:1 -:1 5:1 | 1:3 -:1 8:1 5:1 3:1 5:1 | 1:3 -:1 5:1 3:1 -:1 ^:1 | 1:4 5:2 1:2",
                "skank": "....X...........|X...............|....X...........|............X...",
                "snare": "........X.......|..............X.|........X.......|..............oo",
                "kick": "........x.......|........x.....o.|........x.......|x.......x.......",
                "hat": "................|........o.x.o.x.|o.x.oox.o.x.o.x.|x.oox.o.x.oox.oo",
                "rim": "................|......o.........|................|......o....o....",
                "surf": "x---------------",
                "horn": "-:8 | -:8 | F2:6 -:2 | -:8",
                "pad": "x---------------",
                "bell": "-:8 | A5:8 | -:8 | -:8",
                "lead": "E5:1! A5:3! -:4 | -:3 E5:2 D5:1 C5:1 B4:1 | C5:1 A5:3! -:4 | -:2 F5:1 E5:1 D5:1 B4:1 G#4:2",
                "piano": "................|............x---|x---------------|x-------x-------",
            },
            levels_db={"bass": 0.5, "snare": 5.0, "rim": 2.0, "skank": 3.0, "pad": -6.0},
        ),
        Section(
            name="dawn",
            chords="Am9 | Fmaj7 | Dm9 | Am9",
            level_db=-1.3,
            parts={
                **ONE_DROP,
                "bass": "1:3 -:1 1:1 5:1 3:1 5:1 | 1:3 -:1 8:1 5:1 -:1 ^:1 | 1:3 -:1 1:1 5:1 3:1 5:1 | 1:8",
                "kick": "........X.......|........X.....o.|........X.......|x...............",
                "rim": "........X.......|........X.......|........X..o....|................",
                "hat": "x.oox.o.x.oox.o.|x.oox.o.x.o.x.o.|x.o.x.o.x.o.x...|................",
                "shaker": "o.x.o.x.o.x.o.x.|o.x.o.x.o.x.o.x.|o.x.o.x.o.......|................",
                "piano": "x-----..x---....|x---------------|x-------x-------|x---------------",
                "skank": "....x.......x...|....x.......x...|....x...........|................",
                "lead": LAST_MELODY,
                "pad": "x---------------",
                "choir": "C5:8~ | A4:8~ | A4:8~ | B4:8~",
                "surf": "................|................|x---------------|x---------------",
                "bell": "-:8 | -:8 | -:8 | E5:8~",
                "horn": "-:8 | -:8 | -:8 | A2:7 -:1",
            },
            levels_db={"lead": 1.5},
        ),
    ),
)
