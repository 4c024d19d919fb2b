#pragma once

// All of limpid. A program that needs less compiles faster with the headers it uses.

#include <limpid/core/adversarial_batch.hpp>
#include <limpid/core/autocast.hpp>
#include <limpid/core/backbone_shape.hpp>
#include <limpid/core/check.hpp>
#include <limpid/core/checksum.hpp>
#include <limpid/core/concepts.hpp>
#include <limpid/core/deep_copy.hpp>
#include <limpid/core/fixed_string.hpp>
#include <limpid/core/interval.hpp>
#include <limpid/core/named.hpp>
#include <limpid/core/padding.hpp>
#include <limpid/core/precision.hpp>
#include <limpid/core/progress_line.hpp>
#include <limpid/core/random.hpp>
#include <limpid/core/random_tensor.hpp>
#include <limpid/core/ranges.hpp>
#include <limpid/core/single_thread.hpp>
#include <limpid/core/tf32.hpp>
#include <limpid/core/tiling.hpp>

#include <limpid/io/atomic_file.hpp>
#include <limpid/io/check_bools.hpp>
#include <limpid/io/grey_image.hpp>
#include <limpid/io/image.hpp>
#include <limpid/io/image_gate.hpp>
#include <limpid/io/inflate.hpp>
#include <limpid/io/input_file.hpp>
#include <limpid/io/npy.hpp>
#include <limpid/io/npz.hpp>
#include <limpid/io/pickle.hpp>
#include <limpid/io/pickled_tensors.hpp>
#include <limpid/io/printable.hpp>
#include <limpid/io/pth.hpp>
#include <limpid/io/raw_images.hpp>
#include <limpid/io/safetensors.hpp>
#include <limpid/io/stb.hpp>
#include <limpid/io/tensor_file.hpp>
#include <limpid/io/zip.hpp>

#include <limpid/weights/load_pretrained.hpp>
#include <limpid/weights/load_weights.hpp>
#include <limpid/weights/map_registry.hpp>
#include <limpid/weights/maps.hpp>
#include <limpid/weights/name_map.hpp>
#include <limpid/weights/name_pattern.hpp>
#include <limpid/weights/named_tensors.hpp>
#include <limpid/weights/save_weights.hpp>
#include <limpid/weights/weights_report.hpp>

#include <limpid/layers/check_features.hpp>
#include <limpid/layers/fpn_head.hpp>
#include <limpid/layers/inception_block.hpp>
#include <limpid/layers/initialise.hpp>
#include <limpid/layers/inverted_residual.hpp>
#include <limpid/layers/layer_norm2d.hpp>
#include <limpid/layers/local_mean.hpp>
#include <limpid/layers/naf_block.hpp>
#include <limpid/layers/no_norm.hpp>
#include <limpid/layers/norm_options.hpp>
#include <limpid/layers/options_json.hpp>
#include <limpid/layers/residual_block.hpp>
#include <limpid/layers/resnet_block.hpp>
#include <limpid/layers/simple_gate.hpp>
#include <limpid/layers/upsample_nearest.hpp>

#include <limpid/backbones/imagenet.hpp>
#include <limpid/backbones/inception_resnet_v2.hpp>
#include <limpid/backbones/mobilenet_v2.hpp>
#include <limpid/backbones/vgg19.hpp>

#include <limpid/encoders/feature_pyramid.hpp>
#include <limpid/encoders/fpn.hpp>
#include <limpid/encoders/fpn_features.hpp>
#include <limpid/encoders/nafnet.hpp>
#include <limpid/encoders/pixel_unet.hpp>
#include <limpid/encoders/resnet.hpp>

#include <limpid/decoders/fpn.hpp>
#include <limpid/decoders/nafnet.hpp>
#include <limpid/decoders/pixel_unet.hpp>
#include <limpid/decoders/resnet.hpp>

#include <limpid/critics/autoencoder.hpp>
#include <limpid/critics/conditional.hpp>
#include <limpid/critics/double_scale.hpp>
#include <limpid/critics/patch_gan.hpp>

#include <limpid/losses/adversarial/began.hpp>
#include <limpid/losses/adversarial/began_balance.hpp>
#include <limpid/losses/adversarial/dragan.hpp>
#include <limpid/losses/adversarial/gradient_penalty.hpp>
#include <limpid/losses/adversarial/hinge.hpp>
#include <limpid/losses/adversarial/least_squares.hpp>
#include <limpid/losses/adversarial/minimax.hpp>
#include <limpid/losses/adversarial/non_saturating.hpp>
#include <limpid/losses/adversarial/per_critic.hpp>
#include <limpid/losses/adversarial/relative_scores.hpp>
#include <limpid/losses/adversarial/relativistic.hpp>
#include <limpid/losses/adversarial/relativistic_hinge.hpp>
#include <limpid/losses/adversarial/relativistic_least_squares.hpp>
#include <limpid/losses/adversarial/relativistic_pairs.hpp>
#include <limpid/losses/adversarial/score_critic.hpp>
#include <limpid/losses/adversarial/softplus_r1.hpp>
#include <limpid/losses/adversarial/wasserstein.hpp>
#include <limpid/losses/adversarial/wasserstein_gp.hpp>
#include <limpid/losses/content/charbonnier.hpp>
#include <limpid/losses/content/combination.hpp>
#include <limpid/losses/content/contextual.hpp>
#include <limpid/losses/content/l1.hpp>
#include <limpid/losses/content/l2.hpp>
#include <limpid/losses/content/perceptual.hpp>
#include <limpid/losses/content/psnr_loss.hpp>
#include <limpid/losses/content/vgg_features.hpp>

#include <limpid/metrics/any_metric.hpp>
#include <limpid/metrics/asymmetric_gaussian.hpp>
#include <limpid/metrics/channels.hpp>
#include <limpid/metrics/compare_folders.hpp>
#include <limpid/metrics/cw_ssim.hpp>
#include <limpid/metrics/eight_bit.hpp>
#include <limpid/metrics/evaluation.hpp>
#include <limpid/metrics/ms_ssim.hpp>
#include <limpid/metrics/niqe.hpp>
#include <limpid/metrics/niqe_features.hpp>
#include <limpid/metrics/niqe_model.hpp>
#include <limpid/metrics/psnr.hpp>
#include <limpid/metrics/scores.hpp>
#include <limpid/metrics/ssim.hpp>
#include <limpid/metrics/ssim_3d.hpp>
#include <limpid/metrics/windowed_ssim.hpp>

#include <limpid/detection/average_precision.hpp>
#include <limpid/detection/coco_boxes.hpp>
#include <limpid/detection/detection_scores.hpp>
#include <limpid/detection/detector.hpp>

#include <limpid/degradations/any_degradation.hpp>
#include <limpid/degradations/depth_map.hpp>
#include <limpid/degradations/frame_average.hpp>
#include <limpid/degradations/haze.hpp>
#include <limpid/degradations/motion_blur.hpp>
#include <limpid/degradations/motion_kernel.hpp>
#include <limpid/degradations/planes.hpp>
#include <limpid/degradations/raindrop.hpp>
#include <limpid/degradations/raindrops.hpp>
#include <limpid/degradations/synthetic_depth.hpp>

#include <limpid/datasets/augment.hpp>
#include <limpid/datasets/data_argument.hpp>
#include <limpid/datasets/degraded_photos.hpp>
#include <limpid/datasets/dhazy.hpp>
#include <limpid/datasets/folder_layout.hpp>
#include <limpid/datasets/gopro.hpp>
#include <limpid/datasets/loader.hpp>
#include <limpid/datasets/pair_cache.hpp>
#include <limpid/datasets/pair_split.hpp>
#include <limpid/datasets/paired_files.hpp>
#include <limpid/datasets/paired_folders.hpp>
#include <limpid/datasets/pairs.hpp>
#include <limpid/datasets/raindrop.hpp>
#include <limpid/datasets/reds.hpp>
#include <limpid/datasets/reside.hpp>

#include <limpid/model/model_file.hpp>
#include <limpid/model/multi_task_model.hpp>
#include <limpid/model/state_dict.hpp>
#include <limpid/model/task_set.hpp>

#include <limpid/optim/schedule.hpp>

#include <limpid/training/adam_state.hpp>
#include <limpid/training/adversary.hpp>
#include <limpid/training/any_content.hpp>
#include <limpid/training/branch.hpp>
#include <limpid/training/checkpoint.hpp>
#include <limpid/training/epoch_policy.hpp>
#include <limpid/training/frozen_weights.hpp>
#include <limpid/training/options.hpp>
#include <limpid/training/step_losses.hpp>
#include <limpid/training/stop_signal.hpp>
#include <limpid/training/task_dispatch.hpp>
#include <limpid/training/trainer.hpp>
#include <limpid/training/training_log.hpp>
#include <limpid/training/training_loop.hpp>
#include <limpid/training/training_state.hpp>
#include <limpid/training/training_step.hpp>
#include <limpid/training/validation.hpp>

#include <limpid/recipes/adversarial_names.hpp>
#include <limpid/recipes/adversaries.hpp>
#include <limpid/recipes/quickstart.hpp>
#include <limpid/recipes/tables.hpp>
#include <limpid/recipes/thesis.hpp>
#include <limpid/recipes/thesis_fpn_inception.hpp>
#include <limpid/recipes/thesis_resnet.hpp>

#include <limpid/inference/any_restorer.hpp>
#include <limpid/inference/evaluate.hpp>
#include <limpid/inference/output_files.hpp>
#include <limpid/inference/published_model.hpp>
#include <limpid/inference/published_shapes.hpp>
#include <limpid/inference/restorer.hpp>

#include <limpid/interpolation/adamax.hpp>
#include <limpid/interpolation/frame_sequences.hpp>
#include <limpid/interpolation/frame_triplets.hpp>
#include <limpid/interpolation/interpolate.hpp>
#include <limpid/interpolation/separable_convolution.hpp>
#include <limpid/interpolation/separable_kernels.hpp>
#include <limpid/interpolation/sepconv_file.hpp>
#include <limpid/interpolation/sepconv_network.hpp>
#include <limpid/interpolation/train_interpolation.hpp>

#include <limpid/report/embedded_picture.hpp>
#include <limpid/report/html.hpp>
#include <limpid/report/named_marks.hpp>
#include <limpid/report/page.hpp>
#include <limpid/report/page_script.hpp>
#include <limpid/report/page_style.hpp>
#include <limpid/report/perception_distortion.hpp>
#include <limpid/report/picture_strip.hpp>
#include <limpid/report/plane_figure.hpp>
#include <limpid/report/plane_page.hpp>
#include <limpid/report/plane_scores.hpp>
#include <limpid/report/plot.hpp>
#include <limpid/report/report.hpp>
#include <limpid/report/report_parts.hpp>
#include <limpid/report/report_strip.hpp>
#include <limpid/report/report_table.hpp>
#include <limpid/report/training_facts.hpp>
#include <limpid/report/training_log.hpp>

#include <limpid/version.hpp>
