#pragma once

#include <stdexcept>

/// What the user can mend; the message is one line.
struct ScoringError : std::runtime_error {
    using std::runtime_error::runtime_error;
};
