#pragma once

#include <filesystem>

namespace limpid_test {

// main.cpp says where; all other files compile to the same in any checkout, so that ccache helps.
extern const char* const kSourceFolder;
extern const char* const kProgramsFolder;

/// The folder of limpid's sources.
inline std::filesystem::path source_folder() { return kSourceFolder; }

/// The folder of the programs that were built with the tests.
inline std::filesystem::path programs_folder() { return kProgramsFolder; }

}  // namespace limpid_test
