#pragma once

#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// A TSV file as rows of cells: no quoting, `\n` or `\r\n`, a byte-order mark at the start is dropped.
class Table {
 public:
    /// `columns` names those of a file without a header. ScoringError for a file that is none or empty.
    Table(std::filesystem::path path, std::optional<std::vector<std::string>> columns);

    const std::vector<std::string>& columns() const { return columns_; }

    /// The place of a column; ScoringError where there is none of that name.
    std::size_t place(std::string_view name) const;

    /// The next row's cells, or nothing at the end; ScoringError names the line that is at fault.
    std::optional<std::vector<std::string>> next();

 private:
    std::optional<std::string> line();

    std::filesystem::path path_;
    std::ifstream stream_;
    std::size_t number_ = 0;  // of the line last read
    std::vector<std::string> columns_;
    std::optional<std::string> first_;  // the first line, where it is a row and not yet taken
};

/// The parts of a text between separators.
std::vector<std::string> split(std::string_view text, char separator);
