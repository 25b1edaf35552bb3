#pragma once

#include <cstdint>
#include <openvino/runtime/core.hpp>
#include <string>
#include <vector>

#include "bundle.hpp"
#include "encoded.hpp"

/// OpenVINO's form of the bundle's tokenizer, made at export. It reads each text alone; cutting to the maximum and
/// special tokens are done here.
class Tokenizer {
 public:
    Tokenizer(ov::Core& core, const Bundle& bundle);

    std::vector<Encoded> encode(const std::vector<Texts>& rows);

 private:
    using Ids = std::vector<std::int64_t>;

    /// One piece of a row: a special token, or all tokens of a text.
    struct Piece {
        bool is_text;
        std::int64_t number;  // the token's id, or which text
        std::int64_t type;    // of its tokens
    };

    std::vector<Ids> read(const std::vector<const std::string*>& texts);
    Encoded assemble(std::vector<Ids> texts) const;

    ov::InferRequest request_;
    std::vector<Piece> layout_;
    std::size_t room_;  // tokens that are left for the texts
};
