#pragma once

// To train and to restore with networks named by their types: what most programs need. Beside it
// are restore.hpp, for model files of any network; weighting/named_weightings.hpp, for the many
// ways to combine tasks; the headers of the rooms, and everything.hpp, which is all of limpid.

#include <limpid/backbones/densenet121.hpp>
#include <limpid/backbones/inception_resnet_v2.hpp>
#include <limpid/backbones/mobilenet_v2.hpp>
#include <limpid/backbones/resnet34.hpp>
#include <limpid/backbones/se_resnext50.hpp>

#include <limpid/critics/attention.hpp>
#include <limpid/critics/autoencoder.hpp>
#include <limpid/critics/conditional.hpp>
#include <limpid/critics/double_scale.hpp>
#include <limpid/critics/patch_gan.hpp>
#include <limpid/critics/unet.hpp>

#include <limpid/datasets/all_in_one.hpp>
#include <limpid/datasets/all_weather.hpp>
#include <limpid/datasets/cdd11.hpp>
#include <limpid/datasets/degraded_photos.hpp>
#include <limpid/datasets/dhazy.hpp>
#include <limpid/datasets/dpdd.hpp>
#include <limpid/datasets/gopro.hpp>
#include <limpid/datasets/hide.hpp>
#include <limpid/datasets/loader.hpp>
#include <limpid/datasets/lol.hpp>
#include <limpid/datasets/outdoor_rain.hpp>
#include <limpid/datasets/paired_folders.hpp>
#include <limpid/datasets/pairs.hpp>
#include <limpid/datasets/progressive_crop.hpp>
#include <limpid/datasets/rain100.hpp>
#include <limpid/datasets/rain13k.hpp>
#include <limpid/datasets/raindrop.hpp>
#include <limpid/datasets/realblur.hpp>
#include <limpid/datasets/reds.hpp>
#include <limpid/datasets/reside.hpp>
#include <limpid/datasets/sidd.hpp>
#include <limpid/datasets/snow100k.hpp>

#include <limpid/decoders/fpn.hpp>
#include <limpid/decoders/gunet.hpp>
#include <limpid/decoders/nafnet.hpp>
#include <limpid/decoders/pixel_unet.hpp>
#include <limpid/decoders/prompted.hpp>
#include <limpid/decoders/resnet.hpp>
#include <limpid/decoders/restormer.hpp>

#include <limpid/degradations/any_degradation.hpp>
#include <limpid/degradations/aperture_kernel.hpp>
#include <limpid/degradations/batch_degradation.hpp>
#include <limpid/degradations/batch_tensors.hpp>
#include <limpid/degradations/bayer.hpp>
#include <limpid/degradations/camera_batch.hpp>
#include <limpid/degradations/camera_motion.hpp>
#include <limpid/degradations/camera_pipeline.hpp>
#include <limpid/degradations/defocus.hpp>
#include <limpid/degradations/degradation_options.hpp>
#include <limpid/degradations/depth_map.hpp>
#include <limpid/degradations/drop_pixels.hpp>
#include <limpid/degradations/frame_average.hpp>
#include <limpid/degradations/haze.hpp>
#include <limpid/degradations/jpeg_blocks.hpp>
#include <limpid/degradations/jpeg_compression.hpp>
#include <limpid/degradations/light_batch.hpp>
#include <limpid/degradations/light_curve.hpp>
#include <limpid/degradations/light_picture.hpp>
#include <limpid/degradations/low_light.hpp>
#include <limpid/degradations/mixture.hpp>
#include <limpid/degradations/motion_blur.hpp>
#include <limpid/degradations/motion_kernel.hpp>
#include <limpid/degradations/moving_scene.hpp>
#include <limpid/degradations/moving_scene_batch.hpp>
#include <limpid/degradations/moving_thing.hpp>
#include <limpid/degradations/named_degradations.hpp>
#include <limpid/degradations/noise.hpp>
#include <limpid/degradations/pixel_stream.hpp>
#include <limpid/degradations/planes.hpp>
#include <limpid/degradations/pose_path.hpp>
#include <limpid/degradations/rain_streaks.hpp>
#include <limpid/degradations/raindrop.hpp>
#include <limpid/degradations/raindrops.hpp>
#include <limpid/degradations/resample_taps.hpp>
#include <limpid/degradations/resampling.hpp>
#include <limpid/degradations/sensor_noise.hpp>
#include <limpid/degradations/snow.hpp>
#include <limpid/degradations/stroke_batch.hpp>
#include <limpid/degradations/strokes.hpp>
#include <limpid/degradations/synthetic_depth.hpp>
#include <limpid/degradations/through_codec.hpp>
#include <limpid/degradations/value_noise.hpp>
#include <limpid/degradations/veil.hpp>
#include <limpid/degradations/webp_compression.hpp>

#include <limpid/encoders/fpn.hpp>
#include <limpid/encoders/gunet.hpp>
#include <limpid/encoders/nafnet.hpp>
#include <limpid/encoders/pixel_unet.hpp>
#include <limpid/encoders/resnet.hpp>
#include <limpid/encoders/restormer.hpp>

#include <limpid/inference/restorer.hpp>

#include <limpid/io/image.hpp>
#include <limpid/io/picture_folder.hpp>

#include <limpid/losses/adversarial/began.hpp>
#include <limpid/losses/adversarial/began_balance.hpp>
#include <limpid/losses/adversarial/dragan.hpp>
#include <limpid/losses/adversarial/gradient_penalty.hpp>
#include <limpid/losses/adversarial/hinge.hpp>
#include <limpid/losses/adversarial/least_squares.hpp>
#include <limpid/losses/adversarial/minimax.hpp>
#include <limpid/losses/adversarial/non_saturating.hpp>
#include <limpid/losses/adversarial/objective_name.hpp>
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
#include <limpid/losses/adversarial/with_own_loss.hpp>

#include <limpid/losses/content/any_content.hpp>
#include <limpid/losses/content/charbonnier.hpp>
#include <limpid/losses/content/combination.hpp>
#include <limpid/losses/content/content_expression.hpp>
#include <limpid/losses/content/content_losses.hpp>
#include <limpid/losses/content/content_networks.hpp>
#include <limpid/losses/content/content_options.hpp>
#include <limpid/losses/content/contextual.hpp>
#include <limpid/losses/content/edge_loss.hpp>
#include <limpid/losses/content/focal_frequency_loss.hpp>
#include <limpid/losses/content/frequency_loss.hpp>
#include <limpid/losses/content/gradient_loss.hpp>
#include <limpid/losses/content/l1.hpp>
#include <limpid/losses/content/l2.hpp>
#include <limpid/losses/content/lpips_loss.hpp>
#include <limpid/losses/content/ms_ssim_loss.hpp>
#include <limpid/losses/content/perceptual.hpp>
#include <limpid/losses/content/psnr_loss.hpp>
#include <limpid/losses/content/psnr_y_loss.hpp>
#include <limpid/losses/content/shared_features.hpp>
#include <limpid/losses/content/ssim_loss.hpp>
#include <limpid/losses/content/ssim_terms.hpp>
#include <limpid/losses/content/style_loss.hpp>
#include <limpid/losses/content/total_variation.hpp>
#include <limpid/losses/content/vgg_features.hpp>

#include <limpid/metrics/default_metrics.hpp>
#include <limpid/metrics/psnr.hpp>
#include <limpid/metrics/ssim.hpp>

#include <limpid/optim/adam.hpp>
#include <limpid/optim/lion.hpp>
#include <limpid/optim/muon.hpp>
#include <limpid/optim/schedule.hpp>
#include <limpid/optim/sgd.hpp>

#include <limpid/training/trainer.hpp>

#include <limpid/weighting/equal.hpp>
#include <limpid/weighting/uncertainty.hpp>

#include <limpid/version.hpp>
