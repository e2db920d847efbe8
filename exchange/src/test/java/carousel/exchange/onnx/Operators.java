package carousel.exchange.onnx;

import static carousel.tensor.DType.F32;

import carousel.exchange.onnx.RecurrentWeights.Operator;
import carousel.tensor.Philox;
import carousel.tensor.Tensor;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.Channels;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * Files that hold one recurrent operator with random weights, written as the standard describes it
 * and not by what exports our layers: both biases are there, and none is zero.
 *
 * @param operator which
 * @param direction its attribute
 * @param inputs D
 * @param hidden H
 * @param scale what weights are multiplied by
 * @param peephole whether it has P
 * @param attributes the others
 * @param lengths whether it has sequence_lens
 * @param states whether it has initial states
 */
record Operators(
    Operator operator,
    String direction,
    int inputs,
    int hidden,
    double scale,
    boolean peephole,
    List<WireWriter> attributes,
    boolean lengths,
    boolean states) {
  int directions() {
    return direction.equals("bidirectional") ? 2 : 1;
  }

  /** The file of X → Y, Y_h and Y_c. */
  byte[] file(Philox rng) {
    int d = directions();
    int rows = operator.gates() * hidden;
    double wide = 0.7 * scale;
    var graph = new GraphWriter();
    var in = new ArrayList<String>();
    in.add(graph.input("x", DataType.FLOAT, "time", "batch", inputs));
    in.add(graph.constant("W", rng.normal(F32, 0, wide, d, rows, inputs)));
    in.add(graph.constant("R", rng.normal(F32, 0, scale / Math.sqrt(hidden), d, rows, hidden)));
    in.add(graph.constant("B", rng.normal(F32, 0, wide, d, 2 * rows)));
    in.add(lengths ? graph.input("lengths", DataType.INT32, "batch") : "");
    for (var state : stateNames()) {
      in.add(
          states
              ? graph.input(
                  String.format(Locale.ROOT, "initial_%s_0", state),
                  DataType.FLOAT,
                  d,
                  "batch",
                  hidden)
              : "");
    }
    if (peephole) {
      in.add(graph.constant("P", rng.normal(F32, 0, wide, d, 3 * hidden)));
    }
    var out = new ArrayList<String>();
    out.add(graph.output("Y", DataType.FLOAT, "time", d, "batch", hidden));
    for (var state : stateNames()) {
      out.add(graph.output("Y_" + state, DataType.FLOAT, d, "batch", hidden));
    }
    var all = new ArrayList<>(attributes);
    all.add(GraphWriter.attribute("hidden_size", (long) hidden));
    all.add(GraphWriter.attribute("direction", direction));
    graph.node(operator.name(), "operator", in, out, all);
    return bytes(graph.model());
  }

  static byte[] bytes(WireWriter message) {
    var out = new ByteArrayOutputStream();
    try {
      message.writeTo(Channels.newChannel(out));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return out.toByteArray();
  }

  List<String> stateNames() {
    return operator == Operator.LSTM ? List.of("h", "c") : List.of("h");
  }

  /** {@code Y [T,directions,N,H]} as layers here give it. */
  static Tensor flat(Tensor y) {
    return y.permute(0, 2, 1, 3).reshape(y.dim(0), y.dim(2), y.dim(1) * y.dim(3));
  }
}
