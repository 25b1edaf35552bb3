"""The columns of a table: found by name or position, and named in errors about one cell."""

from bertline.errors import BertlineError


class Columns:
    """What every kind of table has: a name, and columns with names in order."""

    name: str  # of the file, for errors
    columns: tuple[str, ...]
    unit = "line"  # what the rows are numbered by

    def index(self, column: str, option: str) -> int:
        """Where the column of that name, or 1-based position, stands; the error names `option` and the columns."""
        if self.columns.count(column) == 1:
            return self.columns.index(column)
        if column in self.columns:
            raise BertlineError(
                f"{self.name}: several columns are called {column!r}; give {option} a position (1, 2, …)"
            )
        positions = [str(number + 1) for number in range(len(self.columns))]
        if column in positions:
            return positions.index(column)
        raise BertlineError(
            f"{self.name}: no column {column!r}; its columns are {', '.join(map(repr, self.columns))}; "
            f"name one with {option}, or describe the file with --no-header, --columns or --format"
        )

    def column_name(self, column: str, option: str) -> str:
        """The name of that column, or its position where several have the name; raises as `index`."""
        name = self.columns[self.index(column, option)]
        return name if self.columns.count(name) == 1 else column

    def at(self, number: int) -> str:
        """The file and one of its rows, as errors begin."""
        return f"{self.name}, {self.unit} {number}"

    def error(self, number: int, column: int, message: str) -> BertlineError:
        """An error about one cell; `column` is its index from 0."""
        return BertlineError(f"{self.at(number)}, column {self.columns[column]}: {message}")
