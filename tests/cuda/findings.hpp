#pragma once

#include <ATen/core/Tensor.h>
#include <nlohmann/json.hpp>

#include <chrono>
#include <exception>
#include <functional>
#include <string>
#include <vector>

// What the check of a graphics card collects.
namespace cuda_check {

/// How the check runs.
struct Setting {
  at::Device device = at::kCUDA;
  bool quick = false;        ///< small timings, for a dry run
  std::string folder = ".";  ///< for run folders and results
  double limit = 330;        ///< seconds after which no further figure is begun
  std::chrono::steady_clock::time_point began = std::chrono::steady_clock::now();

  double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  }
};

/// Comparisons and figures, printed as they come.
class Findings {
 public:
  /// The largest difference of `found` from `expected`, in parts of the largest value of
  /// `expected`, must not exceed `limit`.
  void agree(const std::string& what, const at::Tensor& expected, const at::Tensor& found,
             double limit);

  /// The same of the difference's Euclidean norm, in parts of that of `expected`: for gradients, in
  /// which a value that lies at the kink of an activation may count on one device only.
  void agree_by_norm(const std::string& what, const at::Tensor& expected, const at::Tensor& found,
                     double limit);

  /// A number that must not exceed `limit`.
  void at_most(const std::string& what, double value, double limit);

  /// Runs `check`; an exception is a failure with its text.
  void guard(const std::string& what, const std::function<void()>& check);

  /// What was found, and whether it is as it must be.
  void say(const std::string& what, bool good, const std::string& text);

  /// A measured number, for the table.
  void figure(const std::string& what, double value, const std::string& unit);

  int failures() const { return failures_; }
  const nlohmann::json& json() const { return json_; }
  const std::vector<std::vector<std::string>>& figures() const { return figures_; }

 private:
  void compare(const std::string& what, const at::Tensor& expected, const at::Tensor& found,
               double limit, const std::function<at::Tensor(const at::Tensor&)>& size);

  int failures_ = 0;
  nlohmann::json json_ = {{"checks", nlohmann::json::array()},
                          {"figures", nlohmann::json::array()}};
  std::vector<std::vector<std::string>> figures_;
};

/// Waits until the device has done what it was asked for.
void wait_for(at::Device device);

/// Whether this LibTorch can count waits for the device: a CUDA build.
bool counts_waits();

/// How often `body` made the CPU wait for the device.
int waits_of(const std::function<void()>& body);

/// Largest memory that tensors took on the device since `forget_peak`, MiB; 0 on the CPU.
double peak_mb(at::Device device);
void forget_peak(at::Device device);

/// Convolutions and products in TF32 (as LibTorch's default for convolutions) or in full float32.
void allow_tf32(bool on);

void check_networks(Findings& findings, const Setting& setting);
void check_losses(Findings& findings, const Setting& setting);
void check_degradations(Findings& findings, const Setting& setting);
void check_training(Findings& findings, const Setting& setting);
void check_restoring(Findings& findings, const Setting& setting);
void check_speed(Findings& findings, const Setting& setting);
void check_recorded_steps(Findings& findings, const Setting& setting);
void check_speed_recorded(Findings& findings, const Setting& setting);
void check_speed_of_other_networks(Findings& findings, const Setting& setting);

}  // namespace cuda_check
