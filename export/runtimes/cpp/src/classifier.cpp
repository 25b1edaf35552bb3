#include "classifier.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "error.hpp"
#include "order.hpp"

namespace {

constexpr std::size_t BATCH_ROWS = 32;

const ov::AnyMap SETTINGS{
    // Else bf16 where the CPU has it: logits move by 0.05, and labels with them.
    ov::hint::inference_precision(ov::element::f32),
    // Else activations go to int8 where the weights are: logits move by 0.11.
    ov::hint::dynamic_quantization_group_size(0),
    // All threads work on the one batch, on cores that may be shared with others.
    ov::num_streams(1),
    ov::hint::enable_cpu_pinning(false),
    // Parts prepared for shapes; the default, 5,000, lets memory grow with the file.
    {"CPU_RUNTIME_CACHE_CAPACITY", "128"},
};

/// Rows by tokens (batch, length) of what `of` gives for each row, and `padding` behind it.
template <typename Of>
ov::Tensor padded(const std::vector<const Encoded*>& batch, std::size_t length, std::int64_t padding, Of of) {
    ov::Tensor tensor(ov::element::i64, {batch.size(), length});
    auto* out = tensor.data<std::int64_t>();
    for (const Encoded* row : batch) {
        const std::vector<std::int64_t> values = of(*row);
        std::fill(std::copy(values.begin(), values.end(), out), out + length, padding);
        out += length;
    }
    return tensor;
}

}  // namespace

Classifier::Classifier(const Bundle& bundle, const Variant& variant)
    : tokenizer_(core_, bundle), inputs_(variant.inputs), pad_id_(bundle.pad_id) {
    request_ = core_.compile_model(bundle.verified(variant.file), "CPU", SETTINGS).create_infer_request();
}

Logits Classifier::run(const std::vector<const Encoded*>& batch, std::size_t further) {
    std::size_t length = 0;
    for (const Encoded* row : batch) length = std::max(length, row->ids.size());
    length += further;
    for (const std::string& name : inputs_) {
        if (name == "input_ids") {
            request_.set_tensor(name, padded(batch, length, pad_id_, [](const Encoded& row) { return row.ids; }));
        } else if (name == "token_type_ids") {
            request_.set_tensor(name, padded(batch, length, 0, [](const Encoded& row) { return row.types; }));
        } else {
            request_.set_tensor(name, padded(batch, length, 0, [](const Encoded& row) {
                                    return std::vector<std::int64_t>(row.ids.size(), 1);
                                }));
        }
    }
    request_.infer();
    const ov::Tensor output = request_.get_tensor("logits");
    const std::size_t labels = output.get_shape()[1];
    Logits found;
    for (std::size_t row = 0; row < batch.size(); ++row) {
        const float* values = output.data<float>() + row * labels;
        found.emplace_back(values, values + labels);
    }
    return found;
}

Logits Classifier::logits(const std::vector<Encoded>& rows) {
    const auto order = ordered_by(rows.size(), [&](std::size_t row) { return rows[row].ids.size(); });
    Logits found(rows.size());
    for (std::size_t start = 0; start < order.size(); start += BATCH_ROWS) {
        const std::size_t end = std::min(start + BATCH_ROWS, order.size());
        std::vector<const Encoded*> batch;
        for (std::size_t i = start; i < end; ++i) batch.push_back(&rows[order[i]]);
        Logits values = run(batch);
        for (const auto& row : values) {
            if (!std::ranges::all_of(row, [](float logit) { return std::isfinite(logit); })) {
                throw ScoringError("the model gives a logit that is no number; run selfcheck");
            }
        }
        for (std::size_t i = start; i < end; ++i) found[order[i]] = std::move(values[i - start]);
    }
    return found;
}

std::vector<float> sigmoid(const std::vector<float>& logits) {
    std::vector<float> probabilities;
    for (const float logit : logits) {
        probabilities.push_back(static_cast<float>(1 / (1 + std::exp(-static_cast<double>(logit)))));
    }
    return probabilities;
}

std::vector<float> softmax(const std::vector<float>& logits) {
    const float largest = *std::ranges::max_element(logits);
    std::vector<double> shares;
    for (const float logit : logits) shares.push_back(std::exp(static_cast<double>(logit - largest)));
    const double sum = std::accumulate(shares.begin(), shares.end(), 0.0);
    std::vector<float> probabilities;
    for (const double share : shares) probabilities.push_back(static_cast<float>(share / sum));
    return probabilities;
}
