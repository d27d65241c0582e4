"""A process that writes as the site does: `python -m bench.sitewriter PER_S`, until its input is closed.

It uses the environment's installation. Prints a line when it begins and, at its end, how long (ms) each write took.
"""

import select
import sys
import time


def main(per_s: float) -> None:
    """Leave facts for a campaign of nobody's, evenly, each in a transaction of its own."""
    import django

    django.setup()
    from django.db import connection

    from vteam import clock
    from vteam.journal.services import record_fact
    from vteam.rules.facts import title_downloaded

    connection.ensure_connection()
    print("writing", flush=True)
    took_ms: list[float] = []
    begun = time.perf_counter()
    while not select.select([sys.stdin], [], [], 0)[0]:
        due = begun + len(took_ms) / per_s
        time.sleep(max(0.0, due - time.perf_counter()))
        before = time.perf_counter()
        fact = title_downloaded(fan=len(took_ms), title=1, at_us=clock.now_us())
        record_fact(campaign_id=2, fact=fact)
        took_ms.append((time.perf_counter() - before) * 1000)
    print("\n".join(f"{ms:.3f}" for ms in took_ms))


if __name__ == "__main__":
    main(float(sys.argv[1]))
