package carousel.tensor;

import static org.assertj.core.api.Assertions.assertThat;

import carousel.tensor.trace.FormulaTrace;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.Channels;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** What a storage knows of its values: one number, from when it was made to the first write. */
@ParameterizedClass
@MethodSource("carousel.tensor.DevicesUnderTest#all")
class FilledTest {
  private static final double[] NUMBERS = {
    0, 1, -0.0, 0.1, -2.7, 1e300, Double.NEGATIVE_INFINITY, Double.MIN_VALUE
  };

  private final TensorScope scope;

  FilledTest(Device device) {
    scope = TensorScope.open(device);
  }

  @AfterEach
  void close() {
    scope.close();
  }

  private static OptionalDouble filled(Tensor x) {
    return x.storage().filled();
  }

  /** The number is the one that is read from every element, to its sign and rounding. */
  private static void isKnown(Tensor x) {
    double number = filled(x).orElseThrow();
    for (double element : x.toDoubleArray()) {
      assertThat(Double.doubleToRawLongBits(element))
          .as("%s known as %s", x, number)
          .isEqualTo(Double.doubleToRawLongBits(number));
    }
  }

  @ParameterizedTest
  @EnumSource
  void whatIsMadeOfOneNumberIsKnown(DType dtype) {
    Tensor like = Tensor.zeros(dtype, 2, 3);
    for (Tensor x :
        List.of(
            like,
            Tensor.ones(dtype, 4),
            like.zerosLike(Shape.of(5)),
            like.zerosLike(),
            like.onesLike(),
            Tensor.zeros(dtype))) {
      isKnown(x);
    }
    boolean integers = !dtype.isFloating();
    for (double number : NUMBERS) {
      double whole = Math.rint(Math.clamp(number, -1000, 1000));
      double fitting = dtype == DType.BOOL ? Math.abs(whole % 2) : integers ? whole : number;
      isKnown(Tensor.full(dtype, fitting, 2, 2));
      isKnown(like.fullLike(Shape.of(3), fitting));
      isKnown(like.scalarLike(fitting));
    }
    assertThat(filled(Tensor.full(DType.F64, Double.NaN, 2))).isEmpty();
  }

  @Test
  void viewsOfItAreKnown() {
    Tensor x = Tensor.full(DType.F32, 0.1, 4, 3);
    for (Tensor view :
        List.of(x.narrow(0, 1, 2), x.transpose(0, 1), x.select(1, 2).expand(7, 4), x.detach())) {
      isKnown(view);
    }
  }

  @Test
  void oneNumberOfJavaIsKnownAndSeveralAreNot() {
    isKnown(Tensor.of(0.1f));
    isKnown(Tensor.of(0.1));
    isKnown(Tensor.of(-3));
    isKnown(Tensor.of(Shape.SCALAR, true));
    assertThat(filled(Tensor.of(1f, 1f))).isEmpty();
  }

  @Test
  void whatIsComputedIsNotKnown() {
    var rng = Philox.of(1);
    Tensor x = Tensor.ones(3, 3);
    for (Tensor y :
        List.of(
            x.add(x),
            x.copy(),
            x.cast(DType.F64),
            Tensor.eye(DType.F32, 3),
            Tensor.eye(DType.F32, 1),
            Tensor.arange(3),
            rng.normal(DType.F32, 0, 1, 3),
            rng.bernoulli(0.5, 3),
            Tensor.concat(List.of(x, x), 0),
            x.zerosLike().indexAdd(Tensor.of(1, 2), Tensor.ones(2, 3), 0),
            x.zerosLike().scatterAdd(Tensor.zeros(DType.I32, 1, 3), Tensor.ones(1, 3), 0))) {
      assertThat(filled(y)).as("%s", y).isEmpty();
    }
  }

  /** A write may leave the same number, but whoever writes goes on to write elsewhere, too. */
  @Test
  void whatIsWrittenInPlaceIsNotKnownAnyMore() {
    Map<String, Consumer<Tensor>> writes = new LinkedHashMap<>();
    writes.put("assign", x -> x.assign(Tensor.ones(2, 3)));
    writes.put("assign a number", x -> x.assign(Tensor.full(DType.F32, 3)));
    writes.put("assign to a view", x -> x.narrow(1, 0, 1).assign(Tensor.ones(2, 1)));
    writes.put("fill", x -> x.fill(2));
    writes.put("fill a view", x -> x.select(0, 1).fill(2));
    writes.put("readFrom", FilledTest::read);
    writes.put("a formula", FilledTest::doubled);
    writes.forEach((name, write) -> {
      Tensor x = Tensor.zeros(2, 3);
      Tensor view = x.transpose(0, 1);
      write.accept(x);
      assertThat(filled(x)).as(name).isEmpty();
      assertThat(filled(view)).as("a view, by %s", name).isEmpty();
    });
  }

  private static void read(Tensor x) {
    try {
      x.readFrom(Channels.newChannel(new ByteArrayInputStream(new byte[24])));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** In place by a loop, or where a device has none, as the optimisers do then. */
  private static void doubled(Tensor x) {
    var trace = new FormulaTrace(x);
    Tensor in = trace.input(x);
    Supplier<Tensor> code = () -> in.add(in);
    trace.result(x, trace.run(code));
    if (!InPlace.run(List.of(trace.call()))) {
      x.assign(x.add(x));
    }
  }

  @Test
  void memoryThatComesBackFromThePoolKnowsNothing() {
    for (int i = 0; i < 3; i++) {
      try (var inner = TensorScope.open()) {
        isKnown(Tensor.ones(5));
      }
      try (var inner = TensorScope.open()) {
        assertThat(filled(Engine.empty("a test", inner.device(), DType.F32, Shape.of(5))))
            .isEmpty();
      }
    }
  }
}
