"""What an operator may know of a running process: figures for Prometheus and whether it is well, on a private port.

Figures are counts and times. None carries an address, a name, a code or anything a visitor typed: every label's
values are known before the first request (docs/decisions/0013).
"""
