#pragma once

#include <openvino/runtime/core.hpp>
#include <vector>

#include "bundle.hpp"
#include "tokenizer.hpp"

/// Values by label id, one for each row.
using Logits = std::vector<std::vector<float>>;

/// A bundle's model and tokenizer, at one precision.
class Classifier {
 public:
    Classifier(const Bundle& bundle, const Variant& variant);

    std::vector<Encoded> encode(const std::vector<Texts>& rows) { return tokenizer_.encode(rows); }

    /// Logits of one batch, padded to the longest row and `further` tokens more.
    Logits run(const std::vector<const Encoded*>& batch, std::size_t further = 0);

    /// Logits of rows, in their order; batches hold rows of like length.
    Logits logits(const std::vector<Encoded>& rows);

 private:
    ov::Core core_;
    Tokenizer tokenizer_;
    std::vector<std::string> inputs_;
    std::int64_t pad_id_;
    ov::InferRequest request_;
};

/// Probabilities by label id, each by itself, computed in double precision.
std::vector<float> sigmoid(const std::vector<float>& logits);

/// Probabilities by label id that sum to 1, computed in double precision.
std::vector<float> softmax(const std::vector<float>& logits);
