// Scores a bertline bundle with OpenVINO, and checks that the answers are the right ones.

#include <getopt.h>

#include <chrono>
#include <cstdio>
#include <iostream>

#include "bundle.hpp"
#include "classifier.hpp"
#include "error.hpp"
#include "score.hpp"
#include "selfcheck.hpp"
#include "table.hpp"

namespace {

constexpr auto USAGE = R"(usage: bertline_cpp score INPUT.tsv OUTPUT.tsv [options]
       bertline_cpp selfcheck [--bundle DIR] [--variant NAME]

  --bundle DIR          the bundle; else the one this program was built from
  --variant NAME        fp32 (default), fp16, quantized
  --columns A,B,C       names, for a file without a header
  --text-column NAME    else the manifest's
  --pair-column NAME    the second text of a pair
  --probabilities       a column prob_LABEL for each label
  --logits              a column logit_LABEL for each label
  --token-ids           a column of token ids
)";

struct Options {
    std::string command;
    std::filesystem::path bundle = DEFAULT_BUNDLE;
    std::string variant = "fp32";
    ScoreOptions score;
};

/// What the command line says, or nothing where it is wrong.
std::optional<Options> parsed(int argc, char** argv) {
    enum { BUNDLE, VARIANT, COLUMNS, TEXT_COLUMN, PAIR_COLUMN, PROBABILITIES, LOGITS, TOKEN_IDS, HELP };
    const option known[] = {{"bundle", required_argument, nullptr, BUNDLE},
                            {"variant", required_argument, nullptr, VARIANT},
                            {"columns", required_argument, nullptr, COLUMNS},
                            {"text-column", required_argument, nullptr, TEXT_COLUMN},
                            {"pair-column", required_argument, nullptr, PAIR_COLUMN},
                            {"probabilities", no_argument, nullptr, PROBABILITIES},
                            {"logits", no_argument, nullptr, LOGITS},
                            {"token-ids", no_argument, nullptr, TOKEN_IDS},
                            {"help", no_argument, nullptr, HELP},
                            {}};
    Options options;
    bool scoring_only = false;
    for (int found; (found = getopt_long(argc, argv, "", known, nullptr)) != -1;) {
        scoring_only = scoring_only || found >= COLUMNS;
        switch (found) {
            case BUNDLE: options.bundle = optarg; break;
            case VARIANT: options.variant = optarg; break;
            case COLUMNS: options.score.columns = split(optarg, ','); break;
            case TEXT_COLUMN: options.score.text_column = optarg; break;
            case PAIR_COLUMN: options.score.pair_column = optarg; break;
            case PROBABILITIES: options.score.probabilities = true; break;
            case LOGITS: options.score.logits = true; break;
            case TOKEN_IDS: options.score.token_ids = true; break;
            case HELP: std::cout << USAGE; std::exit(0);
            default: return std::nullopt;
        }
    }
    const std::vector<std::string> words(argv + optind, argv + argc);
    if (words.size() == 3 && words[0] == "score") {
        options.score.input = words[1];
        options.score.output = words[2];
    } else if (words.size() != 1 || words[0] != "selfcheck" || scoring_only) {
        return std::nullopt;
    }
    options.command = words[0];
    return options;
}

std::string with_commas(std::size_t count) {
    std::string digits = std::to_string(count);
    for (auto place = static_cast<std::ptrdiff_t>(digits.size()) - 3; place > 0; place -= 3) {
        digits.insert(static_cast<std::size_t>(place), 1, ',');
    }
    return digits;
}

int run_selfcheck(const Options& options) {
    bool passed = true;
    selfcheck(Bundle::open(options.bundle), options.variant, [&](const Check& check) {
        std::printf("%s  %-10s %s\n", check.passed ? "ok    " : "FAILED", check.name.c_str(), check.finding.c_str());
        std::fflush(stdout);
        passed = passed && check.passed;
    });
    return passed ? 0 : 3;
}

int run_score(const Options& options) {
    const auto start = std::chrono::steady_clock::now();
    const Bundle bundle = Bundle::open(options.bundle);
    if (options.score.pair_column && bundle.text_columns.size() == 1) {
        throw ScoringError("--pair-column: this bundle scores single texts");
    }
    Classifier classifier(bundle, bundle.variant(options.variant));
    const std::size_t rows = score_file(bundle, classifier, options.score);
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    std::fprintf(stderr, "%s rows in %.1f s\n", with_commas(rows).c_str(), seconds.count());
    return 0;
}

/// A message that a library laid out over several lines, as one.
std::string one_line(std::string message) {
    for (char& character : message) {
        if (character == '\n') character = ' ';
    }
    return message;
}

}  // namespace

int main(int argc, char** argv) {
    const std::optional<Options> options = parsed(argc, argv);
    if (!options) {
        std::cerr << USAGE;
        return 2;
    }
    try {
        return options->command == "score" ? run_score(*options) : run_selfcheck(*options);
    } catch (const std::exception& error) {
        std::cerr << "bertline_cpp: " << one_line(error.what()) << '\n';
        return 1;
    }
}
