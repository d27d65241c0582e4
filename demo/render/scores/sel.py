"""Sel: G minor, 124 to the minute. Two arpeggios rise and fall like a tide under a dance beat.

The left one turns in groups of three and the right one in fives, so their crests meet only now and then. The filter
on both opens over the verse and closes in the break.
"""

from demo.render.score import Section, Title, Track

VERSE_CHORDS = "Gm9 | Ebmaj9 | Bb | F/A | Gm9 | Ebmaj9 | Bb | F"
CHORUS_CHORDS = "Eb | F | Gm | Bb/D | Eb | F | Dm7 | Gm"

VERSE_MELODY = """
-:1 D5:1 D5:1 F5:2! D5:1 C5:1 Bb4:1~ | -:1 G4:1~ Bb4:2 C5:1 D5:3 |
-:1 D5:1 D5:1 F5:2! D5:1 F5:1 G5:1 | F5:3 C5:2 -:3 |
-:1 D5:1 D5:1 F5:2! D5:1 C5:1 Bb4:1~ | -:1 G4:1~ Bb4:2 D5:1 F5:3! |
-:1 F5:1 F5:1 G5:2! F5:1 D5:1 Bb4:1 | C5:4 A4:1 C5:1 D5:1 F5:1
"""
HOOK = """
G5:2! G5:1 F5:2 D5:2 Eb5:1 | F5:2! F5:1 Eb5:2 C5:2 C5:1~ | D5:2! D5:1 F5:2 G5:2 A5:1 | Bb5:3! A5:1 F5:4 |
G5:2! G5:1 F5:2 G5:2 Bb5:1 | A5:2! A5:1 G5:2 F5:2 C5:1~ | D5:2! D5:1 F5:2 A5:2 F5:1 | G5:5! -:3
"""
HOOK_LAST = """
G5:2! G5:1 F5:2 D5:2 Eb5:1 | F5:2! F5:1 Eb5:2 C5:2 C5:1~ | D5:2! D5:1 F5:2 G5:2 A5:1 | Bb5:3! C6:1 D6:3! Bb5:1 |
Bb5:2! G5:1 F5:2 G5:2 Bb5:1 | C6:2! A5:1 G5:2 F5:2 A5:1 | D6:2! C6:1 A5:2 F5:2 A5:1 | G5:5! -:3
"""

IN_THREES = "0 1 2 3 4 5 4 3 2 1 2 3 4 3 2 1 | 0 2 1 3 2 4 3 5 4 6 5 4 3 2 1 2"
IN_FIVES = "4 . 2 . . 5 . 3 . . 4 . 2 . 6 . | 5 . 3 . . 4 . 2 . . 6 . 4 . 3 ."
OFF_BEAT = "-:1 1:1 -:1 1:1 -:1 1:1 -:1 8:1"
ROLL = "-:0.5 1:0.5 1:1 -:0.5 1:0.5 1:1 -:0.5 1:0.5 8:1 -:0.5 1:0.5 5:1"
FLOOR = "x...x...x...x..."

BEAT = {"kick": FLOOR, "hat": "o.o.o.oxo.o.o.ox", "open_hat": "..x...x...x...x.", "clap": "....x.......x..."}
PEAK = {
    **BEAT,
    "shaker": "oxoooxoooxoooxoo",
    "snare": "....x..o....x..o|....x..o....x.oo",
    "bass": ROLL,
    "left": IN_THREES,
    "right": IN_FIVES,
    "keys": "x--x--x---x--x--|x--x--x---x-x-..",
    "pad": "x---------------",
    "crash": "X...............|................|................|................",
}

SEL = Title(
    slug="sel",
    name="Sel",
    track_number=3,
    bpm=124,
    key="G",
    mode="minor",
    seed=20270103,
    swing=0.06,
    ring_s=2.6,
    room_s=1.9,
    echo_steps=3,
    echo_feedback=0.42,
    tracks={
        "kick": Track(reads="hits", instrument="kick", level_lufs=-21.5, room=0.02, loose_ms=0.5),
        "snare": Track(reads="hits", instrument="snare", level_lufs=-30.0, room=0.25, loose_ms=3),
        "clap": Track(reads="hits", instrument="clap", level_lufs=-27.0, room=0.35, loose_ms=3, late_ms=3),
        "hat": Track(reads="hits", instrument="hat", level_lufs=-35.0, pan=0.28, room=0.06, loose_ms=2),
        "open_hat": Track(
            reads="hits", instrument="open_hat", level_lufs=-33.0, pan=-0.2, room=0.08, loose_ms=2
        ),
        "shaker": Track(
            reads="hits", instrument="shaker", level_lufs=-36.5, pan=-0.45, room=0.12, loose_ms=4
        ),
        "crash": Track(reads="hits", instrument="crash", level_lufs=-33.0, room=0.25),
        "riser": Track(reads="hits", instrument="riser", level_lufs=-31.0, room=0.3, gate=1.0),
        "surf": Track(reads="hits", instrument="surf", level_lufs=-33.0, room=0.2, gate=1.0),
        "bass": Track(
            reads="bass",
            instrument="synth_bass",
            level_lufs=-21.0,
            centre=31,
            gate=0.9,
            room=0.0,
            duck=0.45,
            loose_ms=2,
        ),
        "left": Track(
            reads="arpeggio",
            instrument="tide",
            level_lufs=-26.5,
            pan=-0.6,
            centre=62,
            room=0.25,
            echo=0.18,
            gate=1.0,
            duck=0.3,
            loose_ms=3,
        ),
        "right": Track(
            reads="arpeggio",
            instrument="kora",
            level_lufs=-25.5,
            pan=0.6,
            centre=62,
            room=0.3,
            echo=0.2,
            gate=1.5,
            duck=0.2,
            loose_ms=4,
        ),
        "keys": Track(
            reads="chords",
            instrument="electric_piano",
            level_lufs=-27.5,
            centre=66,
            room=0.25,
            duck=0.3,
            shape=("chorus", "low-cut"),
            gate=0.85,
        ),
        "pad": Track(
            reads="chords",
            instrument="pad",
            level_lufs=-27.5,
            centre=60,
            room=0.4,
            duck=0.55,
            shape=("low-cut", "wide"),
        ),
        "lead": Track(
            reads="melody",
            instrument="silk_lead",
            level_lufs=-21.0,
            room=0.28,
            echo=0.25,
            gate=0.9,
            shape=("soft",),
        ),
        "bells": Track(reads="melody", instrument="bells", level_lufs=-29.0, pan=0.25, room=0.4, echo=0.25),
        "choir": Track(reads="melody", instrument="choir", level_lufs=-28.5, room=0.5, duck=0.3),
    },
    sections=(
        Section(
            name="intro",
            chords="Gm9 | Ebmaj9 | Bb | F/A",
            level_db=-0.5,
            parts={
                "left": IN_THREES,
                "right": IN_FIVES,
                "pad": "x---------------",
                "surf": "x---------------|................|................|x---------------",
                "kick": "................|................|x...x...x...x...|x...x...x...x.x.",
                "hat": "................|................|..x...x...x...x.|..x...x...x...xx",
            },
            tone={"left": (500, 2600), "right": (700, 5000)},
            levels_db={"right": -3.0},
        ),
        Section(
            name="verse",
            chords=VERSE_CHORDS,
            level_db=-1.5,
            parts={
                **BEAT,
                "bass": OFF_BEAT,
                "left": IN_THREES,
                "right": IN_FIVES,
                "lead": VERSE_MELODY,
                "pad": "x---------------",
                "crash": "X...............|" + "|".join(["." * 16] * 7),
            },
            tone={"left": (1100, 3200), "right": (1500, 5500)},
            levels_db={"left": -2.0, "right": -3.0, "pad": -1.5},
        ),
        Section(
            name="rise",
            chords="Eb | F | Gm | F/A",
            level_db=-1.2,
            parts={
                "kick": "x...x...x...x...|x...x...x...x...|x...x...x...x...|x.x.x.x.xxxx....",
                "clap": "....x.......x...|....x.......x...|....x...x...x...|x...x...x.x.....",
                "shaker": "oxoooxoooxoooxoo",
                "bass": "1:8 | 1:8 | 1:4 1:4 | 1:4 ^:2 -:2",
                "left": IN_THREES,
                "right": IN_FIVES,
                "pad": "x---------------",
                "choir": "Bb4:8 | A4:8 | Bb4:4 D5:4 | C5:8",
                "riser": "................|................|x---------------|x-----------....",
                "lead": "Bb4:3 C5:3 D5:2 | C5:3 D5:3 F5:2 | D5:3 F5:3 G5:2 | A5:6! -:2",
            },
            tone={"left": (1400, 6500), "right": (1800, 8000)},
        ),
        Section(name="chorus", chords=CHORUS_CHORDS, parts={**PEAK, "lead": HOOK, "bells": HOOK}),
        Section(
            name="low water",
            chords="Ebmaj9 | Bb | F | Gm9",
            level_db=-1.0,
            parts={
                "left": IN_THREES,
                "right": IN_FIVES,
                "pad": "x---------------",
                "choir": "G4:8 | F4:8 | A4:8 | Bb4:4 C5:4",
                "surf": "x---------------|................|x---------------|................",
                "bells": "-:8 | D5:3~ F5:5~ | -:8 | -:2 D5:2~ G5:4~",
                "keys": "x---------------|x---------------|x---------------|x-------x-------",
                "kick": "................|................|x...x...x...x...|x...x...x.x.....",
                "snare": "................|................|................|o...o...o.o.xxx.",
                "riser": "................|................|................|x-----------....",
            },
            tone={"left": (2400, 600), "right": (6000, 3000)},
            levels_db={"left": -1.0},
        ),
        Section(
            name="high water",
            chords=CHORUS_CHORDS,
            level_db=0.3,
            parts={
                **PEAK,
                "lead": HOOK_LAST,
                "bells": HOOK_LAST,
                "choir": "Bb4:8 | A4:8 | D5:8 | D5:8 | Bb4:8 | C5:8 | D5:8 | D5:8",
            },
        ),
        Section(
            name="ebb",
            chords="Ebmaj9 | F | Gm9 | Gm9",
            level_db=-1.2,
            parts={
                "kick": "x...x...x...x...|x...x...x...x...|x...............|................",
                "hat": "..x...x...x...x.|..x...x...x...x.|................|................",
                "bass": "1:3 1:3 1:2 | 1:3 1:3 1:2 | 1:8 | -:8",
                "left": IN_THREES,
                "right": "4 . 2 . . 5 . 3 . . 4 . 2 . 6 . | 5 . 3 . . 4 . 2 . . 6 . 4 . 3 . | "
                "4 . 2 . . 5 . 3 . . 4 . 2 . . . | 0 . . 2 . . 4 . . . . . . . . .",
                "pad": "x---------------",
                "lead": "-:8 | -:8 | -:1 D5:1~ D5:1~ F5:2 D5:1 C5:1 Bb4:1~ | G4:6~ -:2",
                "surf": "................|................|................|x---------------",
                "crash": "X...............|................|................|................",
            },
            tone={"left": (3200, 350), "right": (7000, 1800)},
        ),
    ),
)
