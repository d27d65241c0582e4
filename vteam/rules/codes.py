"""The shapes of what people type or scan: share codes and the digits sent by mail. Randomness is given."""

SHARE_ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"  # 32 letters; no l, o, 0, 1
SHARE_LENGTH = 10
DIGITS = 6


def share_code(number: int) -> str:
    """A share code of fixed length from a random number below 2**50."""
    letters = []
    for _ in range(SHARE_LENGTH):
        number, index = divmod(number, len(SHARE_ALPHABET))
        letters.append(SHARE_ALPHABET[index])
    return "".join(letters)


def is_share_code(text: str) -> bool:
    """Whether a text has the shape of a share code."""
    return len(text) == SHARE_LENGTH and all(letter in SHARE_ALPHABET for letter in text)


def typed_digits(text: str) -> str:
    """What somebody typed as a mailed code, without the spaces and dashes people add."""
    return "".join(character for character in text if character.isascii() and character.isdigit())
