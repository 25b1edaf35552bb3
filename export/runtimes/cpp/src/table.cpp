#include "table.hpp"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "bundle.hpp"
#include "error.hpp"

namespace {

/// Whether bytes are UTF-8: no overlong form, no surrogate, nothing beyond U+10FFFF.
bool is_utf8(std::string_view text) {
    for (std::size_t i = 0; i < text.size();) {
        const auto lead = static_cast<unsigned char>(text[i++]);
        if (lead < 0x80) continue;
        const int more = lead >= 0xF0 ? 3 : lead >= 0xE0 ? 2 : 1;
        if (lead < 0xC2 || lead > 0xF4 || text.size() - i < static_cast<std::size_t>(more)) return false;
        std::uint32_t code = lead & (0x3F >> more);
        for (int byte = 0; byte < more; ++byte) {
            const auto next = static_cast<unsigned char>(text[i++]);
            if ((next & 0xC0) != 0x80) return false;
            code = code << 6 | (next & 0x3F);
        }
        const std::uint32_t least = more == 3 ? 0x10000 : more == 2 ? 0x800 : 0x80;
        if (code < least || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) return false;
    }
    return true;
}

}  // namespace

Table::Table(std::filesystem::path path, std::optional<std::vector<std::string>> columns) : path_(std::move(path)) {
    if (!std::filesystem::is_regular_file(path_)) {
        throw ScoringError(path_.string() + ": no such file; check the name");
    }
    stream_.open(path_, std::ios::binary);
    if (!stream_) throw ScoringError(path_.string() + ": cannot be read; check its permissions");
    auto head = line();
    if (!head) throw ScoringError(path_.string() + ": the file is empty; give a table with at least one row");
    if (columns) {
        columns_ = *std::move(columns);
        first_ = std::move(head);
    } else {
        columns_ = split(*head, '\t');
    }
}

std::size_t Table::place(std::string_view name) const {
    if (std::ranges::count(columns_, name) > 1) {
        throw ScoringError(path_.string() + ": several columns are called '" + std::string(name) +
                           "'; rename all but one");
    }
    for (std::size_t column = 0; column < columns_.size(); ++column) {
        if (columns_[column] == name) return column;
    }
    throw ScoringError(path_.string() + ": has no column '" + std::string(name) + "' but " + join(columns_) +
                       "; see --text-column");
}

std::optional<std::vector<std::string>> Table::next() {
    const auto text = first_ ? std::exchange(first_, std::nullopt) : line();
    if (!text) return std::nullopt;
    auto cells = split(*text, '\t');
    if (cells.size() != columns_.size()) {
        throw ScoringError(path_.string() + ", line " + std::to_string(number_) + ": has " +
                           std::to_string(cells.size()) + " columns instead of " + std::to_string(columns_.size()) +
                           "; correct it");
    }
    return cells;
}

/// The next line without its end.
std::optional<std::string> Table::line() {
    std::string text;
    if (!std::getline(stream_, text)) {
        if (stream_.bad()) throw ScoringError(path_.string() + ": cannot be read to its end; check the disk");
        return std::nullopt;
    }
    ++number_;
    if (text.ends_with('\r')) text.pop_back();
    if (number_ == 1 && text.starts_with("\xEF\xBB\xBF")) text.erase(0, 3);
    const std::string where = path_.string() + ", line " + std::to_string(number_);
    if (!is_utf8(text)) throw ScoringError(where + ": is not UTF-8; convert the file with iconv -t UTF-8");
    if (text.find('\0') != std::string::npos) {
        throw ScoringError(where + ": holds a NUL character; remove it with tr -d '\\000'");
    }
    return text;
}

std::vector<std::string> split(std::string_view text, char separator) {
    std::vector<std::string> parts;
    for (std::size_t start = 0;;) {
        const std::size_t end = text.find(separator, start);
        parts.emplace_back(text.substr(start, end - start));
        if (end == std::string_view::npos) return parts;
        start = end + 1;
    }
}
