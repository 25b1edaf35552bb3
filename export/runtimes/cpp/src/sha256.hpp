#pragma once

#include <filesystem>
#include <string>

/// The SHA-256 of a file as 64 hexadecimal digits.
std::string sha256_of(const std::filesystem::path& path);
