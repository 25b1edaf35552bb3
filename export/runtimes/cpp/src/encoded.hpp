#pragma once

#include <cstdint>
#include <string>
#include <vector>

/// What is scored: one text, or a pair of them.
using Texts = std::vector<std::string>;

/// A row's token ids, special ones included, unpadded, and the type of each.
struct Encoded {
    std::vector<std::int64_t> ids;
    std::vector<std::int64_t> types;
};
