#pragma once

#include <limpid/core/fail.hpp>

#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cstdint>
#include <string>

namespace limpid {

/// The address of this machine from which it reaches `host`: "127.0.0.1" for itself by that name.
/// Nothing is sent.
/// @throws c10::Error if there is no such host or no way to it
inline std::string local_address_towards(const std::string& host, std::uint16_t port) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_DGRAM;
  addrinfo* found = nullptr;
  const auto code = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found);
  if (code != 0) fail("there is no machine '", host, "': ", ::gai_strerror(code));
  std::string address;
  for (const auto* one = found; one != nullptr && address.empty(); one = one->ai_next) {
    const auto descriptor = ::socket(one->ai_family, one->ai_socktype, one->ai_protocol);
    if (descriptor < 0) continue;
    sockaddr_storage own{};
    socklen_t length = sizeof own;
    char text[NI_MAXHOST] = {};
    if (::connect(descriptor, one->ai_addr, one->ai_addrlen) == 0 &&
        ::getsockname(descriptor, reinterpret_cast<sockaddr*>(&own), &length) == 0 &&
        ::getnameinfo(reinterpret_cast<sockaddr*>(&own), length, text, sizeof text, nullptr, 0,
                      NI_NUMERICHOST) == 0) {
      address = text;
    }
    ::close(descriptor);
  }
  ::freeaddrinfo(found);
  if (address.empty()) fail("this machine has no way to '", host, "'");
  return address;
}

}  // namespace limpid
