#include "tokenizer.hpp"

#include <algorithm>
#include <fstream>

#include "error.hpp"
#include "order.hpp"

namespace {

constexpr std::size_t CALL_TEXTS = 256;

/// Cuts what is longer than `room`; of a pair, the longer text first, and both to halves where that is not enough, as
/// the tokenizers library does.
void truncate(std::vector<std::vector<std::int64_t>>& texts, std::size_t room) {
    if (texts.size() == 1) {
        texts[0].resize(std::min(texts[0].size(), room));
        return;
    }
    const std::size_t first = texts[0].size(), second = texts[1].size();
    if (first + second <= room) return;
    const bool swapped = first > second;
    std::vector<std::int64_t>&shorter = texts[swapped ? 1 : 0], &longer = texts[swapped ? 0 : 1];
    if (2 * shorter.size() <= room) {
        longer.resize(room - shorter.size());
    } else {
        shorter.resize(room / 2);
        longer.resize(room - room / 2);
    }
}

}  // namespace

Tokenizer::Tokenizer(ov::Core& core, const Bundle& bundle) {
    core.add_extension(TOKENIZERS_LIBRARY);
    const std::filesystem::path folder = "runtimes/cpp";
    if (!std::filesystem::is_regular_file(bundle.path / folder / "layout.txt")) {
        throw ScoringError(bundle.path.string() + ": has no tokenizer for OpenVINO; export it with --runtimes cpp");
    }
    std::ifstream layout(bundle.verified((folder / "layout.txt").string()));
    const auto graph = bundle.verified((folder / "openvino_tokenizer.xml").string());
    bundle.verified((folder / "openvino_tokenizer.bin").string());
    room_ = bundle.max_length;
    std::string kind;
    for (Piece piece; layout >> kind >> piece.number >> piece.type;) {
        piece.is_text = kind == "text";
        layout_.push_back(piece);
        if (!piece.is_text) --room_;
    }
    request_ = core.compile_model(core.read_model(graph), "CPU").create_infer_request();
}

std::vector<Encoded> Tokenizer::encode(const std::vector<Texts>& rows) {
    std::vector<const std::string*> texts;
    for (const Texts& row : rows) {
        for (const std::string& text : row) texts.push_back(&text);
    }
    std::vector<Ids> found = read(texts);
    std::vector<Encoded> encoded;
    auto next = found.begin();
    for (const Texts& row : rows) {
        const auto end = next + static_cast<std::ptrdiff_t>(row.size());
        encoded.push_back(assemble({std::make_move_iterator(next), std::make_move_iterator(end)}));
        next = end;
    }
    return encoded;
}

/// The token ids of each text, without special tokens. Texts of like size are read together: OpenVINO pads them.
std::vector<Tokenizer::Ids> Tokenizer::read(const std::vector<const std::string*>& texts) {
    const auto order = ordered_by(texts.size(), [&](std::size_t text) { return texts[text]->size(); });
    std::vector<Ids> found(texts.size());
    for (std::size_t start = 0; start < order.size(); start += CALL_TEXTS) {
        const std::size_t count = std::min(CALL_TEXTS, order.size() - start);
        ov::Tensor input(ov::element::string, {count});
        for (std::size_t i = 0; i < count; ++i) input.data<std::string>()[i] = *texts[order[start + i]];
        request_.set_input_tensor(input);
        request_.infer();
        const ov::Tensor ids = request_.get_tensor("input_ids"), mask = request_.get_tensor("attention_mask");
        const std::size_t length = ids.get_shape()[1];  // 0 where all are empty, and then of one row
        for (std::size_t i = 0; i < count; ++i) {
            const auto* row = ids.data<std::int64_t>() + i * length;
            const auto* real = mask.data<std::int64_t>() + i * length;
            found[order[start + i]].assign(row, row + std::count(real, real + length, 1));
        }
    }
    return found;
}

/// A row from the token ids of its texts.
Encoded Tokenizer::assemble(std::vector<Ids> texts) const {
    truncate(texts, room_);
    Encoded row;
    for (const Piece& piece : layout_) {
        if (piece.is_text) {
            const Ids& ids = texts.at(static_cast<std::size_t>(piece.number));
            row.ids.insert(row.ids.end(), ids.begin(), ids.end());
        } else {
            row.ids.push_back(piece.number);
        }
        row.types.resize(row.ids.size(), piece.type);
    }
    return row;
}
