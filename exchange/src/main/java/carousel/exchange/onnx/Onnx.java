package carousel.exchange.onnx;

import carousel.nn.io.AtomicFile;
import carousel.tensor.TensorScope;
import java.io.IOException;
import java.nio.channels.WritableByteChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.function.Supplier;

/**
 * Models to and from ONNX files, which ONNX Runtime and others run.
 *
 * <pre>{@code
 * Onnx.save(path, Chain.of(model.embed(), model.stack(), model.head()), Onnx.Input.STATES);
 * Graph graph = Onnx.load(path);
 * Chain chain = graph.chain();
 * }</pre>
 *
 * <p>A chain is written with the input {@code x [T,N,D]}, or {@code tokens [T,N]} (I64) if it begins with
 * an embedding; the output {@code y [T,N,H]}; and for the k-th recurrent layer, counted from 0, the output
 * {@code final_h_k [directions,N,H]} and, of an LSTM, {@code final_c_k}. T and N are any. A {@link
 * Transpose} in the chain swaps T and N. What is no chain is put together as a {@link Draft}: residuals,
 * classifiers with several outputs, layers that start from another's state.
 *
 * <p>Written are {@link carousel.nn.layer.Embedding}, {@link carousel.nn.layer.Linear}, {@link
 * carousel.nn.layer.LayerNorm}, stacks, both directions, learned initial states, the cells for which
 * ONNX has an operator (LSTMs without and with diagonal peepholes and with coupled gates, both GRUs,
 * and simple recurrences), and {@link Operation}s. Dropout leaves nothing behind. Weights come back bit for
 * bit, and so do outputs.
 *
 * <p>Files of any origin are read as a {@link Graph}: its recurrent operators, products, tables and layer
 * norms are layers; weights may be computed from others in the file; what is between layers is operations.
 * What an operator, an attribute or an input says is read or refused, never passed over. Weights in FLOAT16
 * and BFLOAT16 become F32, as all that is computed with them. Tensors may lie in files beside the model.
 *
 * <p>Source: the ONNX standard, opset 17; its recurrent operators are LSTM-14, GRU-14 and RNN-14.
 */
public final class Onnx {
  private Onnx() {}

  /** What a run of an exported model is given beside the data. */
  public enum Input {
    /** {@code lengths [N]} (I32): outputs past a row's length are zero. */
    LENGTHS,
    /**
     * {@code initial_h_k} and {@code initial_c_k}, of the shapes of the final states; without it
     * every run starts from the layers' own.
     */
    STATES
  }

  /**
   * Writes a model.
   *
   * @param path the file to create or replace; its folder must exist
   * @param chain the model
   * @param inputs what a run is given beside the data
   * @throws OnnxException if a layer has no counterpart in ONNX, or the model is larger than the 2 GiB
   *     of a protobuf file; the message names the layer and says what to do
   * @throws IOException if the file cannot be written; an old file is then as it was
   */
  public static void save(Path path, Chain chain, Input... inputs) throws IOException {
    var wanted = EnumSet.noneOf(Input.class);
    wanted.addAll(List.of(inputs));
    save(path, () -> ChainWriter.graph(chain, wanted));
  }

  /**
   * Writes a model that is no chain.
   *
   * @param path the file to create or replace; its folder must exist
   * @param graph the model
   * @throws OnnxException as the other
   * @throws IOException if the file cannot be written; an old file is then as it was
   */
  public static void save(Path path, Graph graph) throws IOException {
    save(path, () -> graph);
  }

  private static void save(Path path, Supplier<Graph> graph) throws IOException {
    try {
      AtomicFile.write(path, file -> write(file, graph.get()));
    } catch (OnnxException e) {
      throw new OnnxException(path, e);
    }
  }

  /** Writes a model to where it shall go. */
  static void write(WritableByteChannel file, Chain chain, Set<Input> inputs) throws IOException {
    write(file, ChainWriter.graph(chain, inputs));
  }

  private static void write(WritableByteChannel file, Graph graph) throws IOException {
    try (var writing = TensorScope.open(TensorScope.current().device())) {
      var model = LayerWriter.model(graph);
      if (model.size() > Integer.MAX_VALUE) {
        throw new OnnxException(
            String.format(
                Locale.ROOT,
                "the model takes %d bytes, protobuf ends at 2 GiB; save it as safetensors",
                model.size()));
      }
      model.writeTo(file);
    }
  }

  /**
   * Reads a model.
   *
   * @param path the file
   * @return what it computes, its weights in the innermost scope, on its device
   * @throws OnnxException if the file is missing, truncated or not sound, or holds what layers here do
   *     not compute; the message names the node
   * @throws IOException if it cannot be read
   */
  public static Graph load(Path path) throws IOException {
    try {
      if (!Files.isRegularFile(path)) {
        throw new OnnxException("there is no such file");
      }
      if (Files.size(path) > Integer.MAX_VALUE - Long.BYTES) {
        throw new OnnxException("larger than the 2 GiB of a protobuf file");
      }
      return parse(Files.readAllBytes(path), ExternalFiles.beside(path));
    } catch (OnnxException e) {
      throw new OnnxException(path, e);
    }
  }

  /**
   * Reads a model from the bytes of a file.
   *
   * @param file its bytes
   * @return what it computes, as of {@link #load}
   * @throws OnnxException if the bytes are not sound, or hold what is not computed here
   */
  public static Graph parse(byte[] file) {
    return parse(file, ExternalFiles.none());
  }

  private static Graph parse(byte[] file, ExternalFiles files) {
    try (var reading = TensorScope.open(TensorScope.current().device())) {
      var graph = GraphReader.graph(GraphProto.ofModel(file, files));
      graph.parameters().forEach(named -> reading.keep(named.value()));
      for (var step : graph.steps()) {
        if (!(step.layer() instanceof Operation operation)) {
          continue;
        }
        for (var operand : operation.operands()) {
          if (operand instanceof Operation.Operand.Constant number) {
            reading.keep(number.value());
          }
        }
      }
      return graph;
    }
  }
}
