#pragma once

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <vector>

/// The numbers 0 to `count` - 1, sorted by what `key` gives for each.
template <typename Key>
std::vector<std::size_t> ordered_by(std::size_t count, Key key) {
    std::vector<std::size_t> order(count);
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::ranges::stable_sort(order, {}, key);
    return order;
}
