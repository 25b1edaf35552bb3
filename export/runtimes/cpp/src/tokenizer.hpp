#pragma once

#include <cstdint>
#include <openvino/runtime/core.hpp>
#include <string>
#include <vector>

#include "bundle.hpp"

/// What is scored: one text, or a pair of them.
using Texts = std::vector<std::string>;

/// A row's token ids, special ones included, unpadded, and the type of each.
struct Encoded {
    std::vector<std::int64_t> ids;
    std::vector<std::int64_t> types;
};

/// OpenVINO's form of the bundle's tokenizer, made at export. It reads each text alone; cutting to the maximum and
/// special tokens are done here.
class Tokenizer {
 public:
    Tokenizer(ov::Core& core, const Bundle& bundle);

    std::vector<Encoded> encode(const std::vector<Texts>& rows);

 private:
    using Ids = std::vector<std::int64_t>;

    /// One piece of a row: a special token, or a text.
    struct Piece {
        std::int64_t token;
        std::size_t text;  // NO_TEXT for a special token
        std::int64_t type;
    };
    static constexpr auto NO_TEXT = static_cast<std::size_t>(-1);

    std::vector<Ids> read(const std::vector<const std::string*>& texts);
    Encoded assemble(std::vector<Ids> texts) const;

    ov::InferRequest request_;
    std::vector<Piece> layout_;
    std::size_t room_;  // tokens that are left for the texts
};
