"""A process that posts without end, as `jobs` does: `python -m bench.bookkeeper FANS`, until its input is closed.

It uses the environment's installation. Prints a line when it begins and, at its end, how many facts it posted.
"""

import select
import sys

FACTS_AT_ONCE = 2_000


def main(fans: int) -> None:
    """Leave facts in the inbox and move them into the books, by turns."""
    import django

    django.setup()
    from bench.posting import Traffic, mover_of_jobs

    traffic, posted = Traffic(fans), 0
    print("posting", flush=True)
    with mover_of_jobs() as mover:
        while not select.select([sys.stdin], [], [], 0)[0]:
            traffic.offer(FACTS_AT_ONCE)
            posted += mover.move()
    print(posted)


if __name__ == "__main__":
    main(int(sys.argv[1]))
