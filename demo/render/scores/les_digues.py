"""Les digues: the single. D major, 156 to the minute: off-beat guitar, walking bass, horns, a hook that leaps.

The hook's rhythm (3 + 3 + 2) comes back in the horns, the bass and the last bars. The verse ends on G minor, the one
cloud in a bright sky.
"""

from demo.render.score import Section, Title, Track

VERSE_CHORDS = "D | F#m | G | A | D | F#m | G | Gm6"
CHORUS_CHORDS = "G | A | F#m | Bm | G | A | D | D"

VERSE_MELODY = """
-:2 F#5:1 F#5:1 E5:1 F#5:2! D5:1 | -:1 C#5:3 -:1 A4:1~ C#5:2 | -:2 D5:1 D5:1 E5:1 D5:2! B4:1 | -:1 E5:4 -:3 |
-:2 F#5:1 F#5:1 E5:1 F#5:2! A5:1 | -:1 A5:2! F#5:2 E5:1 C#5:2~ | D5:1 D5:1 E5:1 D5:2 B4:1 D5:2 | -:1 D5:3 Bb4:4~
"""
VERSE_MELODY_AGAIN = """
-:1 A4:1~ F#5:1 F#5:1 E5:1 F#5:2! D5:1 | -:1 C#5:2 D5:1 C#5:1 A4:1~ C#5:2 |
-:2 D5:1 D5:1 E5:1 G5:2! D5:1 | -:1 E5:4 -:3 |
-:1 A4:1~ F#5:1 F#5:1 G5:1 F#5:2! A5:1 | -:1 A5:2! C#6:2 A5:1 F#5:2 |
G5:1 G5:1 F#5:1 G5:2 D5:1 B4:2 | -:1 D5:3 Bb4:3~ D5:1
"""
HOOK = """
B5:3! A5:3 G5:2 | A5:3! E5:1 E5:3 -:1 | A5:3! F#5:3 E5:2 | F#5:3 E5:1 D5:3 D5:1~ |
B5:3! A5:3 B5:2 | C#6:3! B5:1 A5:2 B5:1 C#6:1 | D6:3! A5:3 F#5:2 | E5:1 F#5:2 D5:3 -:2
"""
HOOK_TO_BRIDGE = """
B5:3! A5:3 G5:2 | A5:3! E5:1 E5:3 -:1 | A5:3! F#5:3 E5:2 | F#5:3 E5:1 D5:3 D5:1~ |
B5:3! A5:3 B5:2 | C#6:3! B5:1 A5:2 B5:1 C#6:1 | D6:3! A5:3 F#5:2 | E5:3 C#5:3 -:2
"""
HOOK_LAST = """
B5:3! A5:3 G5:2 | A5:3! E5:1 E5:2 F#5:1 G5:1 | A5:3! F#5:3 E5:2 | F#5:3 E5:1 D5:2 A5:1 A5:1 |
B5:3! A5:3 B5:2 | C#6:3! B5:1 A5:2 B5:1 C#6:1 | D6:3! A5:2 D6:1 C#6:1 A5:1 | B5:1 A5:2 F#5:3 D5:2
"""
COUNTER = """
D5:8~ | C#5:6 -:2 | C#5:8~ | B4:6 -:2 | D5:4 G5:4 | E5:4 A5:4 | F#5:8 | F#5:5 -:3
"""
COUNTER_TO_BRIDGE = """
D5:8~ | C#5:6 -:2 | C#5:8~ | B4:6 -:2 | D5:4 G5:4 | E5:4 A5:4 | F#5:8 | E5:5 -:3
"""
BRIDGE_MELODY = """
F#5:4 D5:4 | E5:3 C#5:5~ | D5:2 B4:2 D5:2 G5:2 | F#5:6 -:2 | G5:4 E5:4 | G5:4 Bb5:4! |
A5:3 F#5:3 D5:2 | E5:4 -:3 D5:1
"""

WALK = "1:2 3:2 5:2 6:2 | 1:2 5:2 3:2 ^:2"
DRIVE = "1:2 1:1 8:1 1:1 5:1 8:1 5:1 | 1:2 1:1 8:1 1:1 5:1 3:1 ^:1"
CHOP = "..x...X...x...X."
BUBBLE = "..xo..xo..xo..xo"

VERSE_DRUMS = {
    "kick": "x.....x.x.......|x.....x.x.....o.|x.....x.x.......|x.....x.x..x....",
    "snare": "....X..o.o..X..o|....X..o.o..X...|....X..o.o..X..o|....X..o.o..X.oo",
    "hat": "o.x.o.x.o.x.o.x.",
}
CHORUS_DRUMS = {
    "kick": "x...x...x...x...|x...x...x...x.o.",
    "snare": "....X.......X...|....X..o.o..X..o|....X.......X...|....X..o....X.xx",
    "open_hat": "..x...x...x...x.",
    "tambourine": "o.xoo.xoo.xoo.xo",
    "crash": "X...............|................|................|................",
}
FULL = {
    **CHORUS_DRUMS,
    "bass": DRIVE,
    "skank": CHOP,
    "organ": BUBBLE,
    "pad": "x---------------",
    "horns": "X--X--X-........|............x.X-",
}

LES_DIGUES = Title(
    slug="les-digues",
    name="Les digues",
    track_number=1,
    bpm=156,
    key="D",
    mode="major",
    seed=20270101,
    swing=0.07,
    ring_s=1.5,
    room_s=1.3,
    echo_steps=3,
    echo_feedback=0.3,
    tracks={
        "kick": Track(reads="hits", instrument="kick", level_lufs=-22.0, room=0.02, loose_ms=2),
        "snare": Track(
            reads="hits", instrument="snare", level_lufs=-23.5, pan=0.05, room=0.2, loose_ms=3, late_ms=3
        ),
        "hat": Track(reads="hits", instrument="hat", level_lufs=-33.5, pan=0.3, room=0.05, loose_ms=3),
        "open_hat": Track(
            reads="hits", instrument="open_hat", level_lufs=-32.0, pan=0.3, room=0.08, loose_ms=3
        ),
        "tambourine": Track(
            reads="hits", instrument="tambourine", level_lufs=-36.0, pan=-0.35, room=0.15, loose_ms=5
        ),
        "crash": Track(reads="hits", instrument="crash", level_lufs=-32.0, room=0.15),
        "tom": Track(reads="melody", instrument="tom", level_lufs=-26.0, pan=-0.2, room=0.2, loose_ms=3),
        "bass": Track(
            reads="bass",
            instrument="finger_bass",
            level_lufs=-20.0,
            centre=33,
            gate=0.88,
            room=0.02,
            duck=0.2,
            loose_ms=4,
        ),
        "skank": Track(
            reads="chords",
            instrument="skank_guitar",
            level_lufs=-25.0,
            pan=-0.45,
            centre=66,
            room=0.15,
            gate=0.9,
            strum_ms=5,
            shape=("amp", "clear"),
        ),
        "guitar": Track(
            reads="arpeggio",
            instrument="clean_guitar",
            level_lufs=-28.5,
            pan=0.5,
            centre=62,
            room=0.22,
            echo=0.08,
            gate=2.6,
            shape=("chorus",),
        ),
        "organ": Track(
            reads="chords",
            instrument="organ",
            level_lufs=-30.0,
            pan=0.35,
            centre=62,
            room=0.15,
            gate=0.7,
            shape=("low-cut", "soft"),
        ),
        "pad": Track(
            reads="chords",
            instrument="pad",
            level_lufs=-28.5,
            centre=60,
            room=0.3,
            duck=0.35,
            shape=("low-cut",),
        ),
        "horns": Track(
            reads="chords",
            instrument="brass",
            level_lufs=-25.5,
            pan=0.15,
            centre=64,
            voices=3,
            room=0.25,
            gate=0.85,
            shape=("low-cut", "soft"),
        ),
        "lead": Track(
            reads="melody",
            instrument="melodica",
            level_lufs=-22.5,
            pan=-0.06,
            room=0.22,
            echo=0.14,
            gate=0.92,
            late_ms=4,
            shape=("soft",),
        ),
        "hook": Track(
            reads="melody",
            instrument="brass",
            level_lufs=-24.0,
            pan=0.12,
            room=0.25,
            echo=0.06,
            gate=0.88,
            shape=("soft",),
        ),
        "bells": Track(reads="melody", instrument="bells", level_lufs=-29.0, pan=0.28, room=0.35, echo=0.15),
        "counter": Track(reads="melody", instrument="choir", level_lufs=-27.5, pan=-0.1, room=0.4, gate=0.97),
    },
    sections=(
        Section(
            name="intro",
            chords="G | A | D | A",
            level_db=-1.5,
            parts={
                "skank": CHOP,
                "hat": "o.x.o.x.o.x.o.x.",
                "bass": "1:3 1:3 5:2 | 1:3 1:3 ^:2 | " + WALK,
                "kick": "x...............|x...............|x...x...x...x...|x...x...x...x.x.",
                "snare": "................|............o.ox|....X..o.o..X...|....X..oX.oxX.XX",
                "bells": "B5:3! A5:3 G5:2 | A5:3! E5:1 E5:3 -:1 | A5:3! F#5:3 D5:2 | E5:3 D5:1 C#5:2 -:2",
                "horns": "................|................|X--X--X-........|X--X--..X.X.....",
                "organ": BUBBLE,
                "crash": "................|................|X...............|................",
            },
        ),
        Section(
            name="verse",
            chords=VERSE_CHORDS,
            level_db=-2.4,
            parts={
                **VERSE_DRUMS,
                "bass": WALK,
                "skank": CHOP,
                "organ": BUBBLE,
                "lead": VERSE_MELODY,
                "guitar": " | ".join(
                    ["0 . 2 . 1 . 3 . 2 . 1 . 3 . 2 ."] * 4 + ["0 . 2 . 3 . 1 . 2 . 4 . 3 . 2 ."] * 4
                ),
            },
            levels_db={"guitar": -2.0, "lead": 2.0},
        ),
        Section(
            name="chorus",
            chords=CHORUS_CHORDS,
            parts={
                **FULL,
                "lead": HOOK,
                "hook": HOOK,
                "bells": HOOK,
            },
            levels_db={"hook": -1.5},
        ),
        Section(
            name="verse again",
            chords=VERSE_CHORDS,
            level_db=-1.8,
            parts={
                **VERSE_DRUMS,
                "bass": WALK,
                "skank": CHOP,
                "organ": BUBBLE,
                "lead": VERSE_MELODY_AGAIN,
                "guitar": "0 . 2 . 1 . 3 . 2 . 1 . 3 . 2 .",
                "tambourine": "..x...x...x...x.",
                "horns": "................|............x.X-|................|..x.x...X---....",
                "tom": "-:8 | -:8 | -:8 | -:8 | -:8 | -:8 | -:8 | -:4 A3:1 A3:1 F3:1 D3:1",
            },
            levels_db={"lead": 2.0},
        ),
        Section(
            name="chorus again",
            chords="G | A | F#m | Bm | G | A | D | A/C#",
            parts={
                **FULL,
                "lead": HOOK_TO_BRIDGE,
                "hook": HOOK_TO_BRIDGE,
                "bells": HOOK_TO_BRIDGE,
                "counter": COUNTER_TO_BRIDGE,
            },
            levels_db={"hook": -1.0},
        ),
        Section(
            name="bridge",
            chords="Bm | F#m | G | D | Em | Gm6 | D | A",
            level_db=-2.2,
            parts={
                "kick": "x.........x.....|x.......x.x.....|x.........x.....|x.......x.x.....|x.........x.....|"
                "x.......x.x.....|"
                "x...x...x...x...|x.x.x.x.x.x.....",
                "snare": "........X.......|........X.....o.|........X.......|........X.....o.|........X.......|"
                "........X...o.o.|"
                "o.o.o.o.o.o.o.x.|x.x.x.x.xxxxXX..",
                "hat": "x.o.x.o.x.o.x.o.",
                "crash": "X...............|" + "|".join(["." * 16] * 7),
                "bass": "1:6 5:2 | 1:5 1:1 ^:2",
                "pad": "x---------------",
                "lead": BRIDGE_MELODY,
                "bells": BRIDGE_MELODY,
                "counter": "D5:8 | C#5:8 | B4:8 | A4:8 | B4:8 | Bb4:8 | A4:8 | A4:4 C#5:4",
                "guitar": "0 . 1 . 2 . 3 . 4 . 3 . 2 . 1 .",
            },
            levels_db={"bells": -1.5, "pad": 2.0, "lead": -1.5, "guitar": 1.0},
        ),
        Section(
            name="last chorus",
            chords=CHORUS_CHORDS,
            level_db=0.4,
            parts={
                **FULL,
                "lead": HOOK_LAST,
                "hook": HOOK_LAST,
                "bells": HOOK_LAST,
                "counter": COUNTER,
                "guitar": "0 . 2 . 1 . 3 . 2 . 1 . 3 . 2 .",
                "crash": "X...............|................|................|................",
                "tom": "-:8 | -:8 | -:8 | -:5 A3:1 F3:1 D3:1 | -:8 | -:8 | -:8 | -:4 A3:1 A3:1 F3:1 D3:1",
            },
        ),
        Section(
            name="end",
            chords="G A | D",
            level_db=0.2,
            parts={
                "kick": "X.....X.....x.x.|X...............",
                "snare": "X.....X.....xxXX|X...............",
                "crash": "X.....X.........|X...............",
                "bass": "1:3 1:3 5:1 ^:1 | 1:6 -:2",
                "skank": "X.....X.........|X...............",
                "horns": "X-----X-----....|X-----------....",
                "pad": "x-------x-------|x---------------",
                "lead": "B5:3! C#6:3! -:2 | D6:6! -:2",
                "hook": "B5:3! C#6:3! -:2 | D6:6! -:2",
                "bells": "B5:3! C#6:3! -:2 | D6:6! -:2",
                "counter": "G5:3 A5:5 | F#5:7 -:1",
                "tom": "-:6 A3:1 F3:1 | D3:2! -:6",
                "guitar": ". . . . . . . . . . . . . . . . | 0 . 1 . 2 . 3 . 4 . . . . . . .",
            },
        ),
    ),
)
