#include "selfcheck.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>

#include "classifier.hpp"

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

/// |Δlogit|; a NaN counts as infinitely far.
double distance(float one, float other) {
    const double apart = std::abs(one - other);
    return std::isnan(apart) ? std::numeric_limits<double>::infinity() : apart;
}

/// The largest |Δlogit| and where it is.
struct Farthest {
    double distance = 0;
    std::size_t row = 0, label = 0;
};

Farthest farthest(const Logits& one, const Logits& other) {
    Farthest worst;
    for (std::size_t row = 0; row < one.size(); ++row) {
        for (std::size_t label = 0; label < one[row].size(); ++label) {
            const double apart = distance(one[row][label], other.at(row).at(label));
            if (apart > worst.distance) worst = {apart, row, label};
        }
    }
    return worst;
}

/// Where the token ids found leave the stored ones.
std::string first_difference(const std::vector<std::int64_t>& expected, const std::vector<std::int64_t>& found) {
    const auto [one, other] = std::ranges::mismatch(expected, found);
    const auto named = [](auto token, auto end) { return token == end ? "None" : std::to_string(*token); };
    return "differs at token " + std::to_string(one - expected.begin()) + ": expected " + named(one, expected.end()) +
           ", found " + named(other, found.end());
}

Check check_hashes(const Bundle& bundle) {
    std::vector<std::string> changed;
    for (const FileEntry& entry : bundle.files) {
        if (!bundle.is_as_stated(entry)) changed.push_back(entry.name);
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
            differing += "; " + golden.tag + " " + quoted(golden.texts[0]) + " " +
                         first_difference(golden.encoded.ids, found[row].ids);
        }
    }
    const std::string counts = std::to_string(equal) + " of " + std::to_string(goldens.size());
    return {"token ids", passed, counts + " goldens have the stored ids" + differing};
}

Check check_logits(const Logits& found, const Logits& expected, const std::vector<Golden>& goldens,
                   const std::vector<std::string>& labels, double allowed) {
    const auto [distance, row, label] = farthest(found, expected);
    std::string finding = "max |Δlogit| " + printed("%.1e", distance) + ", allowed " + printed("%.1e", allowed);
    if (distance > allowed) {
        finding += "; worst: " + quoted(goldens[row].texts[0]) + " has " + printed("%.6f", found[row][label]) +
                   " for label " + labels[label] + ", expected " + printed("%.6f", expected[row][label]);
    }
    return {"logits", distance <= allowed, finding};
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
    tell(check_logits(alone, expected, goldens, bundle.labels, variant.golden_tolerance));

    const std::size_t further = std::min(EXTRA_PADDING, bundle.positions - longest);
    const double worst = std::max(farthest(alone, classifier.run(stored)).distance,
                                  farthest(alone, classifier.run(stored, further)).distance);
    const std::string allowed = variant.batch_invariant ? "allowed " + printed("%.0e", INVARIANT_WITHIN)
                                                        : std::string("stated, not limited");
    tell({"padding", worst <= INVARIANT_WITHIN || !variant.batch_invariant,
          "alone and in a padded batch: max |Δlogit| " + printed("%.1e", worst) + ", " + allowed});
}
