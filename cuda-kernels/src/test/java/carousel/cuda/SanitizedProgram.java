package carousel.cuda;

import carousel.autograd.Grad;
import carousel.cuda.scan.RecurrentCase;
import carousel.cuda.scan.RoundedProducts;
import carousel.nn.Parameter;
import carousel.nn.Parameters;
import carousel.nn.init.Init;
import carousel.nn.layer.LayerNorm;
import carousel.nn.loss.Loss;
import carousel.nn.optim.Adam;
import carousel.nn.recurrent.Lstm;
import carousel.nn.recurrent.Recurrent;
import carousel.tensor.DType;
import carousel.tensor.Device;
import carousel.tensor.Philox;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import carousel.tensor.contract.Contract;
import carousel.tensor.contract.OpCase;
import carousel.tensor.contract.OpCases;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * Runs kernels of every family on the emulated device, each on a few of the shapes and layouts that its
 * contract has; for AddressSanitizer to watch, in a JVM of its own.
 */
public final class SanitizedProgram {
  /** How many cases of a row; they are spread over all it has. */
  private static final int CASES = 6;

  private SanitizedProgram() {}

  /** Prints what went wrong, or {@code all agree}. */
  public static void main(String[] arguments) {
    var device = Device.cudaEmulated();
    List<String> wrong = new ArrayList<>();
    // In parallel, because most of the time goes into compiling.
    wrong.addAll(
        rows().parallelStream().flatMap(row -> Contract.violations(row, device).stream()).toList());
    Device rounding = RoundedProducts.sanitized();
    for (String cell : List.of("lstm", "gru")) {
      for (var c :
          List.of(
              RecurrentCase.of(cell, DType.F32, 3, 5, 3, 13).ragged(2, 0, 3, 1, 3),
              RecurrentCase.of(cell, DType.F32, 2, 129, 2, 5).reversed())) {
        wrong.addAll(c.differences(device, ".scan", -1));
        wrong.addAll(rounded(c, rounding));
      }
    }
    // Weights beyond shared memory, and several tiles of rows.
    wrong.addAll(rounded(RecurrentCase.of("lstm", DType.F32, 2, 3, 2, 380), rounding));
    wrong.addAll(rounded(RecurrentCase.of("lstm", DType.F32, 2, 99, 2, 37), rounding));
    train(device);
    wrong.stream().limit(20).forEach(System.out::println);
    System.out.println(wrong.isEmpty() ? "all agree" : wrong.size() + " cases are wrong");
  }

  private static List<String> rounded(RecurrentCase c, Device device) {
    return c.differences(device, device.backend()::fused, ".scan", -1, RoundedProducts.ROUNDED);
  }

  private static List<OpCase> rows() {
    Map<String, List<OpCase>> rows =
        OpCases.all()
            .collect(Collectors.groupingBy(OpCase::row, LinkedHashMap::new, Collectors.toList()));
    List<OpCase> some = new ArrayList<>();
    for (var row : rows.entrySet()) {
      var cases = row.getValue();
      // A composite is made of rows, by one more kernel at most.
      int step = Math.ceilDiv(cases.size(), row.getKey().startsWith("Composite.") ? 1 : CASES);
      for (int i = 0; i < cases.size(); i += step) {
        some.add(cases.get(cases.size() - 1 - i));
      }
    }
    return some;
  }

  /** What is no row: a sequence, layer norm, a loss, and the formula of Adam. */
  private static void train(Device device) {
    try (var run = TensorScope.open(device)) {
      var rng = Philox.of(1);
      var lstm = Recurrent.of(Lstm.of(7, 13, Init.xavierUniform(), rng));
      var norm = LayerNorm.of(13);
      List<Parameters.Named> named = new ArrayList<>();
      lstm.parameters().forEach(named::add);
      named.add(new Parameters.Named("gain", norm.gain()));
      named.add(new Parameters.Named("table", Parameter.of(rng.normal(DType.F32, 0, 1, 50, 7))));
      var parameters = Parameters.of(named);
      var adam = Adam.of(parameters, 0.01);
      Tensor table = named.getLast().value();
      Tensor tokens = Tensor.of(new int[] {3, 49, 0, 3, 17}).reshape(5, 1);
      Tensor targets = Tensor.of(new int[] {12, 0, 5, 7, 3});
      var gradients =
          Grad.of(
              () ->
                  Loss.crossEntropy(
                      norm.apply(lstm.run(table.indexSelect(tokens, 0).reshape(5, 1, 7)).y())
                          .reshape(5, 13),
                      targets),
              parameters);
      adam.step(gradients.clipNorm(0.1));
    }
  }
}
