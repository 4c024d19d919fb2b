"""Prints the values that tests/metrics/protocols.cpp and fid.cpp expect, by other programs.

    python3 -m venv v && v/bin/pip install numpy scipy scikit-image && v/bin/python reference_values.py

Pictures and features follow from formulas, which the tests repeat.
"""
import numpy as np
import scipy.linalg
import scipy.stats
import skimage
from skimage.metrics import peak_signal_noise_ratio as psnr
from skimage.metrics import structural_similarity as ssim


def target(height, width):
    index = np.arange(3 * height * width, dtype=np.float64).reshape(3, height, width)
    return np.round(np.sin(index * 0.37) * 100 + 127) / 255


def restored(height, width):
    wave = 0.05 * np.cos(np.arange(width, dtype=np.float64))
    return np.clip(target(height, width) + wave, 0, 1)


def middle(image, base):
    """As crop_img of AirNet's utils/image_utils.py, for (C, H, W)."""
    _, h, w = image.shape
    top, left = h % base, w % base
    return image[:, top // 2:h - top + top // 2, left // 2:w - left + left // 2]


def bytes_of(image):
    return np.floor(np.clip(image, 0, 1).astype(np.float32) * 255 + np.float32(0.5)).astype(np.float64)


def luma(image):
    r, g, b = bytes_of(image)
    return (65.481 * r + 128.553 * g + 24.966 * b) / 255 + 16


def gaussian_ssim(a, b):
    return ssim(a, b, gaussian_weights=True, sigma=1.5, use_sample_covariance=False,
                data_range=255)


def psnr_b(image, true):
    """Yim and Bovik 2011, eq. 9 to 16, step by step over one channel."""
    height, width = image.shape
    across = elsewhere = 0.0
    for x in range(width - 1):
        step = np.sum((image[:, x] - image[:, x + 1]) ** 2)
        if x % 8 == 7:
            across += step
        else:
            elsewhere += step
    for y in range(height - 1):
        step = np.sum((image[y] - image[y + 1]) ** 2)
        if y % 8 == 7:
            across += step
        else:
            elsewhere += step
    borders = height * (width // 8 - 1) + width * (height // 8 - 1)
    others = height * (width - 1) + width * (height - 1) - borders
    across, elsewhere = across / borders, elsewhere / others
    factor = 0.0
    if across > elsewhere:
        factor = np.log2(8) / np.log2(min(height, width)) * (across - elsewhere)
    return 10 * np.log10(255 ** 2 / (np.mean((image - true) ** 2) + factor))


def blocky(height, width):
    """Steps of 12 levels between 8 x 8 blocks, and a slope inside."""
    y, x = np.mgrid[0:height, 0:width]
    base = 60 + 12 * ((x // 8 + y // 8) % 3) + (x % 8)
    return np.stack([base, base + 5, 255 - base]).astype(np.float64) / 255


def frechet(a, b):
    """As pytorch-fid's calculate_frechet_distance."""
    difference = a.mean(0) - b.mean(0)
    one, other = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    root = scipy.linalg.sqrtm(one @ other)
    return difference @ difference + np.trace(one) + np.trace(other) - 2 * np.trace(root.real)


def features(count, width, phase):
    index = np.arange(count * width, dtype=np.float64).reshape(count, width)
    return np.sin(index * index * 0.013 + phase) * (1 + np.arange(width) % 3)


print("scikit-image", skimage.__version__, "numpy", np.__version__)
t, r = target(53, 45), restored(53, 45)
for kind in (np.float64, np.float32):
    a, b = (middle(v, 16).astype(kind).transpose(1, 2, 0) for v in (r, t))
    print("aio", kind.__name__, repr(float(psnr(b, a, data_range=1))),
          repr(float(ssim(b, a, data_range=1, channel_axis=-1))))
y, z = np.round(luma(r)), np.round(luma(t))
print("derain-y", repr(float(psnr(z, y, data_range=255))), repr(float(gaussian_ssim(z, y))))
print("psnr_y:crop_border=4", repr(float(psnr(luma(t)[4:-4, 4:-4], luma(r)[4:-4, 4:-4],
                                              data_range=255))))
print("ssim_gaussian:crop_border=4",
      repr(float(np.mean([gaussian_ssim(bytes_of(t)[c][4:-4, 4:-4], bytes_of(r)[c][4:-4, 4:-4])
                          for c in range(3)]))))
c, d = bytes_of(blocky(50, 44)), bytes_of(blocky(50, 44) + 3 / 255)
print("psnr_b", repr(float(np.mean([psnr_b(c[k], d[k]) for k in range(3)]))))
print("psnr_b_y", repr(float(psnr_b(luma(blocky(50, 44)), luma(blocky(50, 44) + 3 / 255)))))
print("frechet 40 x 6", repr(float(frechet(features(40, 6, 0), features(50, 6, 0.5)))))
print("frechet 20 x 32", repr(float(frechet(features(20, 32, 0), features(30, 32, 0.5)))))
flips = np.array([0.31, -0.12, 0.55, 0.08, 0.27, -0.05, 0.41, 0.19, -0.22, 0.36, 0.02, 0.14])
print("sign flips", scipy.stats.permutation_test(
    (flips, np.zeros(12)), lambda a, b: np.mean(a - b), permutation_type="samples",
    n_resamples=np.inf).pvalue)
