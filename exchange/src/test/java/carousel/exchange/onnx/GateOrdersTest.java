package carousel.exchange.onnx;

import static org.assertj.core.api.Assertions.assertThat;

import carousel.exchange.onnx.RecurrentWeights.Operator;
import carousel.exchange.onnx.RecurrentWeights.Settings;
import carousel.nn.Parameter;
import carousel.nn.recurrent.GatedCell;
import carousel.nn.recurrent.HiddenState;
import carousel.tensor.DType;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import carousel.tensor.op.GateOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** Gates get to ONNX's places, and back to ours, by their names: whatever order a cell declares. */
class GateOrdersTest {
  private static final int D = 3;
  private static final int H = 2;

  private final TensorScope scope = TensorScope.open();

  @AfterEach
  void close() {
    scope.close();
  }

  /** A cell of some order, for its weights. */
  public record Ordered(GateOrder gates, Parameter wx, Parameter b)
      implements GatedCell<HiddenState> {
    static Ordered of(GateOrder gates) {
      return new Ordered(gates, Parameter.of(named(gates, D)), Parameter.of(named(gates)));
    }

    @Override
    public GateOrder products() {
      return gates.names().contains("n") ? gates.without("n") : gates;
    }

    @Override
    public int outputs() {
      return H;
    }

    @Override
    public HiddenState step(Tensor z, HiddenState state) {
      throw new UnsupportedOperationException();
    }

    @Override
    public HiddenState zero(int batch) {
      throw new UnsupportedOperationException();
    }
  }

  /** {@code [..,G·H]}, in each block the code of its gate's name. */
  private static Tensor named(GateOrder order, int... rows) {
    Function<String, Tensor> block =
        gate -> {
          int[] dims = rows.length == 0 ? new int[] {H} : new int[] {rows[0], H};
          return Tensor.full(DType.F32, gate.charAt(0), dims);
        };
    return Tensor.concat(order.names().stream().map(block).toList(), Tensor.LAST);
  }

  private static Parameter parameter(GateOrder order, int... rows) {
    return Parameter.of(named(order, rows));
  }

  private static Stream<GateOrder> orders(GateOrder gates) {
    if (gates.size() == 1) {
      return Stream.of(gates);
    }
    return gates.names().stream()
        .flatMap(first ->
            orders(gates.without(first))
                .map(rest -> {
                  List<String> names = new ArrayList<>(List.of(first));
                  names.addAll(rest.names());
                  return new GateOrder(names);
                }));
  }

  /** What the first column of ONNX's rows says, a letter per block; . is 0. */
  private static String blocks(Tensor rows) {
    Tensor column = rows.rank() == 1 ? rows : rows.select(1, 0);
    var letters = new StringBuilder();
    for (Tensor block : column.chunk(column.dim(0) / H, 0)) {
      double code = block.get(0);
      assertThat(block.toDoubleArray()).containsOnly(code);
      letters.append(code == 0 ? '.' : (char) code);
    }
    return letters.toString();
  }

  private Stream<DynamicTest> each(GateOrder gates, Function<GateOrder, Runnable> test) {
    return orders(gates)
        .map(order ->
            DynamicTest.dynamicTest(String.join(" ", order.names()), test.apply(order)::run));
  }

  @TestFactory
  Stream<DynamicTest> lstm() {
    return each(
        GateOrder.LSTM,
        order ->
            () -> {
              List<Parameter> peepholes =
                  order.without("g").names().stream().map(g -> parameter(GateOrder.of(g))).toList();
              var written =
                  CellWriter.lstm(
                      Ordered.of(order),
                      parameter(order, H),
                      peepholes,
                      Settings.of(Operator.LSTM));
              assertThat(blocks(written.w())).as("W, where c is g").isEqualTo("iofg");
              assertThat(blocks(written.r())).isEqualTo("iofg");
              assertThat(blocks(written.biasOfInput())).isEqualTo("iofg");
              assertThat(blocks(written.biasOfState())).isEqualTo("....");
              assertThat(blocks(Objects.requireNonNull(written.p()))).isEqualTo("iof");
              reads(written);
            });
  }

  @TestFactory
  Stream<DynamicTest> coupledLstm() {
    return each(
        GateOrder.CIFG,
        order ->
            () -> {
              List<Parameter> peepholes =
                  order.without("g").names().stream().map(g -> parameter(GateOrder.of(g))).toList();
              var settings = Settings.of(Operator.LSTM).withCoupled();
              var written =
                  CellWriter.lstm(Ordered.of(order), parameter(order, H), peepholes, settings);
              assertThat(blocks(written.w())).isEqualTo("io.g");
              assertThat(blocks(written.r())).isEqualTo("io.g");
              assertThat(blocks(Objects.requireNonNull(written.p()))).isEqualTo("io.");
              reads(written);
            });
  }

  @TestFactory
  Stream<DynamicTest> gru() {
    return each(
        GateOrder.GRU,
        order ->
            () -> {
              var cell = Ordered.of(order);
              var settings = Settings.of(Operator.GRU);
              Tensor wh = named(order, H);
              var bh = parameter(GateOrder.of("n"));
              var after = CellWriter.gru(cell, wh, bh, settings.withResetAfter());
              assertThat(blocks(after.w())).as("W, where h is n").isEqualTo("zrn");
              assertThat(blocks(after.r())).isEqualTo("zrn");
              assertThat(blocks(after.biasOfInput())).isEqualTo("zrn");
              assertThat(blocks(after.biasOfState())).isEqualTo("..n");
              reads(after);
              Tensor parts =
                  CellWriter.withCandidate(
                      cell, parameter(cell.products(), H), parameter(GateOrder.of("n"), H));
              assertThat(parts.sameValues(wh)).isTrue();
              var before = CellWriter.gru(cell, parts, null, settings);
              assertThat(blocks(before.r())).isEqualTo("zrn");
              reads(before);
            });
  }

  /** Every weight of what is read holds, in the block of a gate, the code of the gate's name. */
  private static void reads(RecurrentWeights written) {
    GatedCell<?> cell = (GatedCell<?>) CellReader.of(written);
    for (var weight : cell.parameters()) {
      Tensor x = weight.value();
      GateOrder order =
          switch (weight.name()) {
            case "wx", "b" -> cell.gates();
            case "wh" -> cell.products();
            case "wn", "bh" -> GateOrder.of("n");
            case "pi" -> GateOrder.of("i");
            case "pf" -> GateOrder.of("f");
            case "po" -> GateOrder.of("o");
            case "peepholes.0" -> GateOrder.of(cell.gates().without("g").names().get(0));
            case "peepholes.1" -> GateOrder.of(cell.gates().without("g").names().get(1));
            default -> throw new AssertionError(weight.name());
          };
      Tensor expected = x.rank() == 1 ? named(order) : named(order, x.dim(0));
      assertThat(x.sameValues(expected)).as("%s of %s", weight.name(), cell).isTrue();
    }
  }

  /** The places in a file are those of the standard, whose names for them are other ones. */
  @Test
  void theStandardsOrders() {
    assertThat(String.join("", Operator.LSTM.order().names()).replace('g', 'c')).isEqualTo("iofc");
    assertThat(String.join("", Operator.LSTM.peepholes().names())).isEqualTo("iof");
    assertThat(String.join("", Operator.GRU.order().names()).replace('n', 'h')).isEqualTo("zrh");
  }
}
