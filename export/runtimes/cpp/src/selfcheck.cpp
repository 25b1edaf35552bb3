#include "selfcheck.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>

#include "classifier.hpp"
#include "sha256.hpp"

namespace fs = std::filesystem;

namespace {

constexpr double INVARIANT_WITHIN = 1e-5;  // |Δlogit| of a row alone and in a padded batch
constexpr std::size_t EXTRA_PADDING = 16;  // tokens

std::string printed(const char* format, double value) {
    char text[32];
    std::snprintf(text, sizeof text, format, value);
    return text;
}

/// The first 40 characters in quotes; control characters as \xNN.
std::string quoted(const std::string& text) {
    std::string shown = "'";
    int characters = 0;
    for (const char byte : text) {
        const auto code = static_cast<unsigned char>(byte);
        if ((code & 0xC0) != 0x80 && ++characters > 40) break;
        if (code < 0x20 || code == 0x7F) {
            char escape[5];
            std::snprintf(escape, sizeof escape, "\\x%02x", code);
            shown += escape;
        } else {
            shown += byte;
        }
    }
    return shown + "'";
}

/// Largest |Δlogit|; a NaN counts as infinitely far.
double farthest(const Logits& one, const Logits& other) {
    double worst = 0;
    for (std::size_t row = 0; row < one.size(); ++row) {
        for (std::size_t label = 0; label < one[row].size(); ++label) {
            const double distance = std::abs(one[row][label] - other.at(row).at(label));
            worst = std::max(worst, std::isnan(distance) ? std::numeric_limits<double>::infinity() : distance);
        }
    }
    return worst;
}

bool is_as_stated(const fs::path& path, const FileEntry& entry) {
    return fs::is_regular_file(path) && fs::file_size(path) == entry.bytes && sha256_of(path) == entry.sha256;
}

Check check_hashes(const Bundle& bundle) {
    std::vector<std::string> changed;
    for (const FileEntry& entry : bundle.files) {
        if (!is_as_stated(bundle.inside(entry.name), entry)) changed.push_back(entry.name);
    }
    if (!changed.empty()) return {"hashes", false, "missing or changed: " + join(changed)};
    return {"hashes", true, std::to_string(bundle.files.size()) + " files are as the manifest says"};
}

Check check_tokens(Classifier& classifier, const std::vector<Golden>& goldens) {
    std::vector<Texts> texts;
    std::ranges::transform(goldens, std::back_inserter(texts), &Golden::texts);
    const std::vector<Encoded> found = classifier.encode(texts);
    bool passed = true;
    std::size_t equal = 0;
    std::string differing;
    for (std::size_t row = 0; row < goldens.size(); ++row) {
        const Golden& golden = goldens[row];
        if (found[row].ids == golden.encoded.ids) {
            ++equal;
        } else {
            passed = passed && golden.tag != "core";
            differing += "; " + golden.tag + " differs: " + quoted(golden.texts[0]);
        }
    }
    const std::string counts = std::to_string(equal) + " of " + std::to_string(goldens.size());
    return {"token ids", passed, counts + " goldens have the stored ids" + differing};
}

}  // namespace

void selfcheck(const Bundle& bundle, const std::string& name, const std::function<void(const Check&)>& tell) {
    const Check hashes = check_hashes(bundle);
    tell(hashes);
    if (!hashes.passed) return;
    const Variant& variant = bundle.variant(name);
    Classifier classifier(bundle, variant);
    const std::vector<Golden> goldens = bundle.goldens(variant);
    tell(check_tokens(classifier, goldens));

    std::vector<const Encoded*> stored;
    Logits expected, alone;
    std::size_t longest = 0;
    for (const Golden& golden : goldens) {
        stored.push_back(&golden.encoded);
        expected.push_back(golden.logits);
        alone.push_back(classifier.run({&golden.encoded}).front());
        longest = std::max(longest, golden.encoded.ids.size());
    }
    double worst = farthest(alone, expected);
    tell({"logits", worst <= variant.golden_tolerance,
          "max |Δlogit| " + printed("%.1e", worst) + ", allowed " + printed("%.1e", variant.golden_tolerance)});

    const std::size_t further = std::min(EXTRA_PADDING, bundle.positions - longest);
    worst = std::max(farthest(alone, classifier.run(stored)), farthest(alone, classifier.run(stored, further)));
    const std::string allowed = variant.batch_invariant ? "allowed " + printed("%.0e", INVARIANT_WITHIN)
                                                        : std::string("stated, not limited");
    tell({"padding", worst <= INVARIANT_WITHIN || !variant.batch_invariant,
          "alone and in a padded batch: max |Δlogit| " + printed("%.1e", worst) + ", " + allowed});
}
