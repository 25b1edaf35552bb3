#include "bundle.hpp"

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>

#include "error.hpp"
#include "sha256.hpp"

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;  // in the order of the file

namespace {

Problem problem_of(const std::string& type, const fs::path& path) {
    if (type == "single_label_classification") return Problem::one_label;
    if (type == "multi_label_classification") return Problem::several_labels;
    if (type == "regression") return Problem::number;
    throw ScoringError(path.string() + "/bertline.json: problem_type is '" + type +
                       "', which this program does not know");
}

Bundle read_manifest(const fs::path& path, const Json& manifest) {
    Bundle bundle{};
    bundle.path = path;
    manifest.at("labels").get_to(bundle.labels);
    bundle.problem = problem_of(manifest.at("problem_type"), path);
    manifest.at("text_columns").get_to(bundle.text_columns);
    manifest.at("max_length").get_to(bundle.max_length);
    const Json& tokenizer = manifest.at("tokenizer");
    tokenizer.at("pad_id").get_to(bundle.pad_id);
    const Json& positions = tokenizer.at("positions");
    bundle.positions = positions.is_null() ? bundle.max_length : positions.get<std::size_t>();
    for (const auto& [name, entry] : manifest.at("files").items()) {
        bundle.files.push_back({name, entry.at("sha256"), entry.at("bytes")});
    }
    for (const auto& [name, entry] : manifest.at("variants").items()) {
        if (entry.at("layout") != "padded") continue;
        Variant variant{name, entry.at("file"), {}, entry.at("golden_tolerance"), entry.at("batch_invariant")};
        for (const Json& input : entry.at("inputs")) variant.inputs.push_back(input.at("name"));
        bundle.variants.push_back(std::move(variant));
    }
    return bundle;
}

}  // namespace

Bundle Bundle::open(const fs::path& path) {
    const fs::path file = path / "bertline.json";
    std::ifstream stream(file, std::ios::binary);
    if (!stream) {
        throw ScoringError(path.string() + ": has no bertline.json, so it is no bundle; name one with --bundle");
    }
    try {
        return read_manifest(path, Json::parse(stream));
    } catch (const Json::parse_error&) {
        throw ScoringError(file.string() + ": is not JSON; take the bundle from its source again");
    } catch (const Json::exception& error) {
        throw ScoringError(file.string() + ": " + error.what() + "; take the bundle from its source again");
    }
}

fs::path Bundle::inside(std::string_view name) const {
    const fs::path root = fs::weakly_canonical(path), found = fs::weakly_canonical(path / name);
    if (std::mismatch(root.begin(), root.end(), found.begin(), found.end()).first != root.end()) {
        throw ScoringError(path.string() + "/bertline.json: '" + std::string(name) +
                           "' leaves the bundle; take it from its source again");
    }
    return found;
}

bool Bundle::is_as_stated(const FileEntry& entry) const {
    const fs::path file = inside(entry.name);
    return fs::is_regular_file(file) && fs::file_size(file) == entry.bytes && sha256_of(file) == entry.sha256;
}

fs::path Bundle::verified(std::string_view name) const {
    const fs::path file = inside(name);
    const auto entry = std::ranges::find(files, name, &FileEntry::name);
    if (entry != files.end() && is_as_stated(*entry)) return file;
    throw ScoringError(file.string() + ": is missing or changed since the export; take the bundle from its source again");
}

const Variant& Bundle::variant(std::string_view name) const {
    const auto found = std::ranges::find(variants, name, &Variant::name);
    if (found != variants.end()) return *found;
    std::vector<std::string> names;
    std::ranges::transform(variants, std::back_inserter(names), &Variant::name);
    throw ScoringError("--variant " + std::string(name) + ": this bundle has " + join(names) + " for this runtime");
}

std::vector<Golden> Bundle::goldens(const Variant& variant) const {
    const fs::path file = inside("golden.jsonl");
    std::ifstream stream(file, std::ios::binary);
    std::vector<Golden> goldens;
    for (std::string line; std::getline(stream, line);) {
        if (line.empty()) continue;
        try {
            const auto json = Json::parse(line);
            Golden golden{json.at("tag"), {json.at("text")}, {json.at("input_ids"), json.at("token_type_ids")}, {}};
            if (!json.at("pair").is_null()) golden.texts.push_back(json.at("pair"));
            json.at("logits").at(variant.name).get_to(golden.logits);
            goldens.push_back(std::move(golden));
        } catch (const Json::exception& error) {
            throw ScoringError(file.string() + ": " + error.what() + "; take the bundle from its source again");
        }
    }
    if (goldens.empty()) throw ScoringError(file.string() + ": holds no golden example; export the model again");
    return goldens;
}

std::string join(const std::vector<std::string>& words, std::string_view between) {
    std::string text;
    for (const std::string& word : words) {
        if (&word != words.data()) text += between;
        text += word;
    }
    return text;
}
