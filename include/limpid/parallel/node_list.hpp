#pragma once

#include <string>
#include <string_view>

namespace limpid {

/// Whether a list of nodes as Slurm writes it names one machine: "node7", but not "node[7-8]".
inline bool is_one_node(std::string_view list) {
  return list.find(',') == list.npos &&
         (list.find('[') == list.npos || list.find('-', list.find('[')) == list.npos);
}

/// The first machine of a list as Slurm writes it: "node007" of "node[007-009,12],gpu1".
inline std::string first_node(std::string_view list) {
  std::string name;
  while (!list.empty() && list.front() != ',') {
    if (list.front() != '[') {
      name += list.front();
      list.remove_prefix(1);
      continue;
    }
    list.remove_prefix(1);
    while (!list.empty() && list.front() != ']' && list.front() != '-' && list.front() != ',') {
      name += list.front();
      list.remove_prefix(1);
    }
    list.remove_prefix(list.find(']') == list.npos ? list.size() : list.find(']') + 1);
  }
  return name;
}

}  // namespace limpid
