#pragma once

#include <functional>
#include <string>

#include "bundle.hpp"

/// One step of the self-check.
struct Check {
    std::string name;
    bool passed;
    std::string finding;
};

/// Tells each step as it is done: hashes, token ids, logits of batch 1, logits in a padded batch. Ends after the hashes
/// where one of them does not fit.
void selfcheck(const Bundle& bundle, const std::string& variant, const std::function<void(const Check&)>& tell);
