package carousel.tensor.contract;

import carousel.tensor.Device;
import carousel.tensor.Engine;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import carousel.tensor.op.Binary;
import carousel.tensor.op.Op;
import carousel.tensor.op.Ternary;
import carousel.tensor.op.Unary;
import carousel.tensor.op.Views;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/** What a device owes: on every case, the results of the reference. */
public final class Contract {
  private Contract() {}

  /**
   * Runs a case on a device and on the reference and compares.
   *
   * @param c the case
   * @param device the device under test
   * @return what is wrong, one sentence each; empty if nothing
   */
  public static List<String> violations(OpCase c, Device device) {
    return violations(c, List.of(device));
  }

  /**
   * Runs a case on the reference once, and on several devices, each of which is compared with it.
   *
   * @param c the case
   * @param devices the devices under test
   * @return what is wrong, one sentence each, with the device if there are several; empty if nothing
   */
  public static List<String> violations(OpCase c, List<Device> devices) {
    List<String> wrong = new ArrayList<>();
    try (var outer = TensorScope.open(Device.reference())) {
      // What is expected is of dense operands: ops have ways of their own with views, on every
      // device.
      Tensor[] dense = Arrays.stream(c.inputs()).map(Tensor::contiguous).toArray(Tensor[]::new);
      Expected[] expected =
          Arrays.stream(c.op().evaluate(dense))
              .map(y -> Expected.of(c, y))
              .toArray(Expected[]::new);
      for (Device device : devices) {
        for (String sentence : violations(c, device, expected)) {
          wrong.add(devices.size() == 1 ? sentence : device.name() + ": " + sentence);
        }
      }
    } catch (RuntimeException e) {
      wrong.add(c + ": " + e);
    }
    return wrong;
  }

  /** What a result should be, and what each of its elements may be off by. */
  @SuppressWarnings("ArrayRecordComponent") // never compared
  private record Expected(Tensor tensor, double[] values, double[] bounds) {
    static Expected of(OpCase c, Tensor tensor) {
      double[] values = tensor.toDoubleArray();
      return new Expected(tensor, values, Tolerance.of(c, tensor.dtype(), values));
    }
  }

  private static List<String> violations(OpCase c, Device device, Expected... expected) {
    List<String> wrong = new ArrayList<>();
    try (var scope = TensorScope.open(device)) {
      Tensor[] inputs = c.inputs();
      Tensor[] before =
          Arrays.stream(inputs).map(x -> x.to(Device.reference())).toArray(Tensor[]::new);
      Tensor[] actual = c.op().evaluate(inputs);
      if (actual.length != expected.length) {
        return List.of(c + ": " + actual.length + " outputs, expected " + expected.length);
      }
      for (int i = 0; i < actual.length; i++) {
        compare(c, actual[i], expected[i], wrong);
        if (c.op() instanceof Views && Engine.storage(actual[i]) != Engine.storage(inputs[0])) {
          wrong.add(c + ": a view has its own storage");
        }
      }
      for (int i = 0; i < inputs.length; i++) {
        if (!inputs[i].sameValues(before[i])) {
          wrong.add(c + ": input " + i + " was changed");
        }
      }
    } catch (RuntimeException e) {
      wrong.add(c + ": " + e);
    }
    return wrong;
  }

  private static void compare(OpCase c, Tensor actual, Expected wanted, List<String> wrong) {
    Tensor expected = wanted.tensor();
    if (actual.dtype() != expected.dtype() || !actual.shape().equals(expected.shape())) {
      wrong.add(
          c
              + ": gives "
              + actual.dtype()
              + actual.shape()
              + ", expected "
              + expected.dtype()
              + expected.shape());
      return;
    }
    double[] a = actual.toDoubleArray();
    double[] e = wanted.values();
    double[] bound = wanted.bounds();
    boolean signs = isElementwise(c.op());
    int worst = -1;
    double excess = 1;
    for (int i = 0; i < e.length; i++) {
      double x = excess(a[i], e[i], bound[i]);
      if (a[i] == 0 && e[i] == 0 && signs && !sameSign(a[i], e[i])) {
        x = Double.POSITIVE_INFINITY;
      }
      if (x > excess) {
        excess = x;
        worst = i;
      }
    }
    if (worst >= 0) {
      wrong.add(
          String.format(
              Locale.ROOT,
              "%s: element %d is %s, expected %s: %.3g times the allowed %.3g",
              c,
              worst,
              a[worst],
              e[worst],
              excess,
              bound[worst]));
    }
  }

  private static boolean isElementwise(Op op) {
    return op instanceof Unary || op instanceof Binary || op instanceof Ternary;
  }

  private static boolean sameSign(double a, double b) {
    return Math.copySign(1, a) == Math.copySign(1, b);
  }

  /** The error over the bound; more than 1 is a violation. */
  static double excess(double actual, double expected, double bound) {
    if (actual == expected || (Double.isNaN(actual) && Double.isNaN(expected))) {
      return 0;
    }
    double error = Math.abs(actual - expected);
    return Double.isFinite(error) && bound > 0 ? error / bound : Double.POSITIVE_INFINITY;
  }
}
