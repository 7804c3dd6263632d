#!/usr/bin/env python3
"""Writes small data sets as NumPy saves them, for the tests of their reader: data_files.py FOLDER."""
import os
import sys

import numpy


def images(count, start):
    """Images x rows x columns x channels, 4x5 in colour, all values different from image to image."""
    return ((numpy.arange(count * 4 * 5 * 3).reshape(count, 4, 5, 3) * 7 + start) % 256).astype(numpy.uint8)


def main(folder):
    train, test = images(12, 3), images(6, 100)
    labels, other = numpy.arange(12) % 3, numpy.arange(6) % 3
    numpy.savez(os.path.join(folder, "bytes.npz"), x_train=train, y_train=labels, x_test=test, y_test=other[:, None])
    numpy.savez_compressed(
        os.path.join(folder, "floats.npz"), train_images=(train / 255).transpose(0, 3, 1, 2).astype(numpy.float32),
        train_labels=labels.astype(numpy.uint8), test_images=(test / 255).transpose(0, 3, 1, 2).astype(numpy.float64),
        test_labels=other.astype(numpy.int32), class_names=numpy.array(["red", "green", "blue"]))
    numpy.savez(
        os.path.join(folder, "parts.npz"), images=train[..., 0], labels=labels.astype(numpy.int16))


main(sys.argv[1])
