"""`vteam bench NAME [--quick] [--json]`: the command line of the benches; what they do stands in their modules."""

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from bench.report import Report

app = typer.Typer(
    no_args_is_help=True, help="How fast vTeam is here, beside its peers, and whether it holds."
)

Quick = Annotated[bool, typer.Option("--quick", help="End within 45 seconds: fewer rounds, smaller loads.")]
Json = Annotated[bool, typer.Option("--json", help='Print one object: {"bench", "figures", "ratios"}.')]
Fans = Annotated[int, typer.Option(help="How many fans the books hold.", min=1_000, max=10_000_000)]
Postgres = Annotated[
    bool, typer.Option("--postgresql", help="On PostgreSQL, started here, instead of SQLite.")
]


def _tell(report: "Report", json: bool) -> None:
    if json:
        for note in report.notes:
            typer.echo(note, err=True)
        typer.echo(report.as_json())
    else:
        typer.echo(report.as_text())


@app.command()
def redirect(quick: Quick = False, json: Json = False) -> None:
    """Short links, each visit durable, beside nginx returning a fixed 302; and while `jobs` posts a backlog."""
    from bench.redirect import run

    _tell(run(quick=quick), json)


@app.command()
def posting(
    quick: Quick = False, json: Json = False, fans: Fans = 1_000_000, postgresql: Postgres = False
) -> None:
    """From the inbox to decided, ledger, totals and histogram: alone, and while the site keeps writing."""
    from bench.posting import run

    _tell(run(quick=quick, fans=fans, postgresql=postgresql), json)


@app.command()
def standings(quick: Quick = False, json: Json = False, fans: Fans = 1_000_000) -> None:
    """Exact ranks and the top 100 while posting goes on, beside Redis' sorted set."""
    from bench.standings import run

    _tell(run(quick=quick, fans=fans), json)


@app.command()
def mail(quick: Quick = False, json: Json = False) -> None:
    """Letters by permission into a real Postfix, beside smtplib; then of every fate, with `jobs` killed meanwhile."""
    from bench.mail import run

    _tell(run(quick=quick), json)


@app.command()
def home(quick: Quick = False, json: Json = False) -> None:
    """A fan's home page with real data, on one core, beside a plain Django view with the same content."""
    from bench.home import run

    _tell(run(quick=quick), json)


@app.command()
def replay(quick: Quick = False, json: Json = False) -> None:
    """The books recomputed from the journal alone, and compared."""
    from bench.replay import run

    _tell(run(quick=quick), json)


@app.command()
def growth(
    json: Json = False,
    facts: Annotated[
        int, typer.Option(help="How many facts to play.", min=10_000, max=100_000_000)
    ] = 1_000_000,
) -> None:
    """A season played to many facts (a few minutes a million): posting, ranks, size, `verify`, `replay`, a backup."""
    from bench.growth import run

    _tell(run(facts=facts), json)


@app.command()
def memory(quick: Quick = False, json: Json = False) -> None:
    """All the demo's processes together, and what an hour's traffic replayed fast adds to them."""
    from bench.memory import run

    _tell(run(quick=quick), json)


@app.command("pass-on")
def pass_on(quick: Quick = False, json: Json = False) -> None:
    """A title from page to page in a browser, beside a plain download; and how much one edge relays and holds."""
    from bench.passing import run

    _tell(run(quick=quick), json)


@app.command()
def torrents(quick: Quick = False, json: Json = False) -> None:
    """Fans' torrents from what all of a title's have in common, beside libtorrent and torf hashing each whole."""
    from bench.torrents import run

    _tell(run(quick=quick), json)


@app.command()
def announce(quick: Quick = False, json: Json = False) -> None:
    """The tracker's announces, each on a new connection, beside Debian's opentracker and npm's bittorrent-tracker."""
    from bench.announce import run

    _tell(run(quick=quick), json)


@app.command()
def witness(quick: Quick = False, json: Json = False) -> None:
    """Torrent downloads at once before one witness on a core, none missed; and what a connection costs in memory."""
    from bench.witness import run

    _tell(run(quick=quick), json)


@app.command()
def draw(quick: Quick = False, json: Json = False) -> None:
    """A draw among a million: frozen, drawn, and done again from its record by the command and in a browser."""
    from bench.draw import run

    _tell(run(quick=quick), json)


@app.command()
def worlds(quick: Quick = False, json: Json = False) -> None:
    """Kiosks in virtual worlds: touches a second, each signed, and how long heartbeats take while 200 kiosks beat."""
    from bench.worlds import run

    _tell(run(quick=quick), json)


@app.command()
def crash(
    quick: Quick = False,
    json: Json = False,
    kills: Annotated[int, typer.Option(help="How many processes to kill.", min=1)] = 50,
    postgresql: Postgres = False,
    cluster: Annotated[
        bool, typer.Option("--cluster", help="Two sites and two edges on one PostgreSQL, haproxy in front.")
    ] = False,
    seed: Annotated[
        int | None, typer.Option(help="Choose as an earlier run did; it says how.", min=0)
    ] = None,
) -> None:
    """Honest traffic while random processes of an installation are killed; then the books are checked."""
    from bench.crash import run

    _tell(run(quick=quick, kills=kills, postgresql=postgresql, cluster=cluster, seed=seed), json)


@app.command()
def failover(json: Json = False) -> None:
    """PostgreSQL killed while people come, its streaming replica made the primary; then the books are checked."""
    from bench.failover import run

    _tell(run(), json)
