"""The errors a user can act on: one line each, with the exit code of the command line."""


class BertlineError(Exception):
    """Something the user can mend. The message is one line: what, where, and the next command to type."""

    exit_code = 1


class UsageError(BertlineError):
    """Options that do not go together."""

    exit_code = 2


class VerificationError(BertlineError):
    """A check failed: a hash, a golden example, parity, or a metric gate."""

    exit_code = 3
