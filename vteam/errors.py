"""Every fault vTeam raises on purpose.

    VTeamError
    ├── SettingsError        the installation is set up wrongly; says what to set
    ├── CampaignFileError    a campaign.toml or a file it names cannot be used; lists every problem
    │   └── Promised         a change would break what somebody was promised; says which field of which prize
    ├── AudioError           a file is not the MP3 it claims to be
    ├── BooksError           journal, ledger or standings contradict each other (our own fault)
    │   └── FactConflict     the same fact key was offered with other content
    ├── SealError            sealed bytes cannot be opened with the keys at hand
    ├── NotPermitted         a message has no permit of its recipient
    ├── DeliveryError        a message could not be handed over; `permanent` tells whether to try again
    │   └── AnswerMissing    the mail server was given all of it and did not say whether it took it
    ├── Away                 a database or a mailbox cannot be reached just now; the same may work in a few seconds
    ├── Busy                 another process holds the role or the lock
    ├── BackupError          a backup cannot be made, read or put back; says what to do
    └── CannotStart          `vteam run` cannot begin; says what to do

Expected outcomes (a limit reached, a right withdrawn, a wrong code) are enum values, not exceptions.
"""


class VTeamError(Exception):
    """Root of the tree; its text is meant for the person who runs the command."""


class SettingsError(VTeamError):
    """The installation is set up wrongly."""


class CampaignFileError(VTeamError):
    """A campaign file cannot be used; the text names each problem."""


class Promised(CampaignFileError):
    """What was promised to somebody by name stays.

    `field`: which one of the `prize` would change; None where the prize would be gone. `announced`: because its draw
    is announced; otherwise because somebody was offered it.
    """

    def __init__(self, text: str, *, prize: str, field: str | None, announced: bool) -> None:
        super().__init__(text)
        self.prize, self.field, self.announced = prize, field, announced


class AudioError(VTeamError):
    """A file is not the MP3 it claims to be; the text says why."""


class BooksError(VTeamError):
    """The books contradict themselves: never expected, always loud."""


class FactConflict(BooksError):
    """A fact key was offered again with other content."""


class SealError(VTeamError):
    """Sealed bytes cannot be opened with the keys at hand."""


class NotPermitted(VTeamError):
    """No live permission covers this message."""


class DeliveryError(VTeamError):
    """A message could not be handed over.

    `permanent`: trying again is pointless.
    """

    def __init__(self, reason: str, *, permanent: bool) -> None:
        super().__init__(reason)
        self.permanent = permanent


class AnswerMissing(DeliveryError):
    """A mail server was given a whole message and did not say whether it took it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason, permanent=False)


class Away(VTeamError):
    """What was asked for cannot be done now; the same may work in a few seconds."""


class Busy(VTeamError):
    """Another process holds this role."""


class BackupError(VTeamError):
    """A backup cannot be made, read or put back; the text says what to do."""


class CannotStart(VTeamError):
    """The processes cannot be started; the text says what to do."""
