#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "encoded.hpp"

/// One file of the bundle, as the manifest states it.
struct FileEntry {
    std::string name;
    std::string sha256;
    std::uintmax_t bytes;
};

/// One way to run the bundle at one precision.
struct Variant {
    std::string name;
    std::string file;
    std::vector<std::string> inputs;
    double golden_tolerance;
    bool batch_invariant;
};

/// One line of golden.jsonl: a stored row with its expected answers.
struct Golden {
    std::string tag;
    Texts texts;
    Encoded encoded;
    std::vector<float> logits;  // of one variant
};

/// What the logits mean.
enum class Problem { one_label, several_labels, number };

/// What bertline.json says, as far as this program needs it.
struct Bundle {
    std::filesystem::path path;
    Problem problem;
    std::vector<std::string> labels;        // by label id
    std::vector<std::string> text_columns;  // one, or two for a model of pairs
    std::size_t max_length;                 // tokens, special ones included
    std::size_t positions;                  // the longest row the model takes, in tokens
    std::int64_t pad_id;
    std::vector<FileEntry> files;
    std::vector<Variant> variants;  // those of the padded layout

    /// Reads the manifest; ScoringError where there is none.
    static Bundle open(const std::filesystem::path& path);

    /// The path of a file of the bundle, which must not lead out of it.
    std::filesystem::path inside(std::string_view name) const;

    /// Whether a file has the size and the hash that the manifest states.
    bool is_as_stated(const FileEntry& entry) const;

    /// The path of a file that is as the manifest states; ScoringError for another.
    std::filesystem::path verified(std::string_view name) const;

    const Variant& variant(std::string_view name) const;

    /// All goldens, with that variant's logits.
    std::vector<Golden> goldens(const Variant& variant) const;
};

/// `a, b, c`
std::string join(const std::vector<std::string>& words, std::string_view between = ", ");
