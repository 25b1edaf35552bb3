#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "bundle.hpp"
#include "classifier.hpp"

/// What `score` reads and writes.
struct ScoreOptions {
    std::filesystem::path input;
    std::filesystem::path output;
    std::optional<std::vector<std::string>> columns;  // names, for a file without a header
    std::optional<std::string> text_column;
    std::optional<std::string> pair_column;
    bool probabilities = false;
    bool logits = false;
    bool token_ids = false;
};

/// Scores a table into `output`, which appears once it is whole; returns the number of rows.
std::size_t score_file(const Bundle& bundle, Classifier& classifier, const ScoreOptions& options);
