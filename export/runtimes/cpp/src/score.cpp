#include "score.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <fstream>

#include "error.hpp"
#include "table.hpp"

namespace fs = std::filesystem;

namespace {

constexpr std::size_t WINDOW_ROWS = 4096;

/// A file that appears under its name once it is whole, and else leaves nothing.
class WholeFile {
 public:
    explicit WholeFile(fs::path path) : path_(std::move(path)), partial_(path_.string() + ".partial") {
        if (fs::exists(partial_)) {  // it may be the input
            throw ScoringError(partial_.string() + ": left by an unfinished run, or one still going; remove it first");
        }
        stream.open(partial_, std::ios::binary | std::ios::trunc);
        if (!stream) throw ScoringError(path_.string() + ": cannot be written; check that its folder exists");
    }
    WholeFile(const WholeFile&) = delete;
    WholeFile& operator=(const WholeFile&) = delete;
    ~WholeFile() {
        std::error_code ignored;
        fs::remove(partial_, ignored);
    }

    void finish() {
        stream.close();
        if (!stream) throw ScoringError(path_.string() + ": cannot be written whole; check the disk's space");
        fs::rename(partial_, path_);
    }

    std::ofstream stream;

 private:
    fs::path path_, partial_;
};

/// As C's %.9g, which keeps a float exactly.
std::string number(float value) {
    std::array<char, 32> text;
    const auto end = std::to_chars(text.begin(), text.end(), static_cast<double>(value), std::chars_format::general, 9);
    return {text.data(), end.ptr};
}

std::vector<std::size_t> text_places(const Bundle& bundle, const Table& table, const ScoreOptions& options) {
    std::vector<std::size_t> places{table.place(options.text_column.value_or(bundle.text_columns[0]))};
    if (bundle.text_columns.size() == 2) {
        places.push_back(table.place(options.pair_column.value_or(bundle.text_columns[1])));
    }
    return places;
}

std::vector<std::string> header(const Bundle& bundle, std::vector<std::string> columns, const ScoreOptions& options) {
    if (bundle.problem == Problem::number && options.probabilities) {
        throw ScoringError("--probabilities: this bundle predicts a number, which has none; leave it out");
    }
    columns.push_back(bundle.problem == Problem::number ? "prediction" : "predicted_label");
    if (bundle.problem == Problem::one_label) columns.push_back("score");
    for (const std::string& label : bundle.labels) {
        if (options.probabilities || bundle.problem == Problem::several_labels) columns.push_back("prob_" + label);
    }
    for (const std::string& label : bundle.labels) {
        if (options.logits) columns.push_back("logit_" + label);
    }
    if (options.token_ids) columns.push_back("token_ids");
    return columns;
}

/// What a row's logits say, as cells: a label and its probability, several labels with commas between and the
/// probabilities of all, or a number.
std::vector<std::string> answer(const Bundle& bundle, const std::vector<float>& logits, bool probabilities) {
    if (bundle.problem == Problem::number) return {number(logits[0])};
    std::vector<std::string> cells;
    std::vector<float> shares;
    if (bundle.problem == Problem::several_labels) {
        std::vector<std::string> given;
        for (std::size_t label = 0; label < logits.size(); ++label) {
            if (logits[label] > 0) given.push_back(bundle.labels[label]);  // where the probability is above 0.5
        }
        cells = {join(given, ",")};
        shares = sigmoid(logits);
        probabilities = true;
    } else {
        shares = softmax(logits);
        const auto best = static_cast<std::size_t>(std::ranges::max_element(logits) - logits.begin());
        cells = {bundle.labels[best], number(shares[best])};
    }
    if (probabilities) std::ranges::transform(shares, std::back_inserter(cells), number);
    return cells;
}

/// The next rows, at most so many as are held in memory at once; none at the end.
std::vector<std::vector<std::string>> read_window(Table& table) {
    std::vector<std::vector<std::string>> window;
    while (window.size() < WINDOW_ROWS) {
        auto cells = table.next();
        if (!cells) break;
        window.push_back(*std::move(cells));
    }
    return window;
}

}  // namespace

std::size_t score_file(const Bundle& bundle, Classifier& classifier, const ScoreOptions& options) {
    if (fs::exists(options.output)) throw ScoringError(options.output.string() + ": the file exists; name another");
    Table table(options.input, options.columns);
    const std::vector<std::size_t> places = text_places(bundle, table, options);
    const std::vector<std::string> columns = header(bundle, table.columns(), options);
    for (const std::string& name : table.columns()) {
        if (std::count(columns.begin(), columns.end(), name) > std::ranges::count(table.columns(), name)) {
            throw ScoringError(options.input.string() + ": '" + name +
                               "' is what the scores are called; rename that column");
        }
    }
    WholeFile file(options.output);
    file.stream << join(columns, "\t") << '\n';
    std::size_t count = 0;
    for (auto window = read_window(table); !window.empty(); window = read_window(table)) {
        std::vector<Texts> texts;
        for (const auto& cells : window) {
            Texts& row = texts.emplace_back();
            for (const std::size_t place : places) row.push_back(cells[place]);
        }
        const std::vector<Encoded> encoded = classifier.encode(texts);
        const Logits logits = classifier.logits(encoded);
        for (std::size_t row = 0; row < window.size(); ++row) {
            std::vector<std::string>& cells = window[row];
            std::ranges::move(answer(bundle, logits[row], options.probabilities), std::back_inserter(cells));
            if (options.logits) std::ranges::transform(logits[row], std::back_inserter(cells), number);
            if (options.token_ids) {
                std::vector<std::string> ids;
                for (const std::int64_t id : encoded[row].ids) ids.push_back(std::to_string(id));
                cells.push_back(join(ids, " "));
            }
            file.stream << join(cells, "\t") << '\n';
        }
        count += window.size();
    }
    if (count == 0) {
        throw ScoringError(options.input.string() + ": has a header and no rows; give a table with at least one row");
    }
    file.finish();
    return count;
}
