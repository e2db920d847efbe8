package carousel.nn.onnx;

import carousel.nn.io.AtomicFile;
import carousel.tensor.Scope;
import java.io.IOException;
import java.nio.channels.WritableByteChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/**
 * Models to and from ONNX files, which ONNX Runtime and others run.
 *
 * <pre>{@code
 * Onnx.save(path, Chain.of(model.embed(), model.stack(), model.head()), Onnx.Input.STATES);
 * Chain chain = Onnx.load(path);
 * }</pre>
 *
 * <p>A file that is written here has the input {@code x [T,N,D]}, or {@code tokens [T,N]} (I64) if
 * the chain begins with an embedding; the output {@code y [T,N,H]}; and for the k-th recurrent layer,
 * counted from 0, the output {@code final_h_k [directions,N,H]} and, of an LSTM, {@code final_c_k}. T
 * and N are any. A {@link Transpose} in the chain swaps T and N.
 *
 * <p>Exported are {@link carousel.nn.Embedding}, {@link carousel.nn.Linear}, {@link
 * carousel.nn.LayerNorm}, stacks, both directions, learned initial states, and the cells for which
 * ONNX has an operator: LSTMs without and with diagonal peepholes and with coupled gates, both GRUs,
 * and simple recurrences. Dropout leaves nothing behind. The same can be read, from files of any
 * origin. Weights come back bit for bit, and so do outputs.
 *
 * <p>A file that is read may have its batch first, by {@code Transpose} nodes or by {@code layout = 1}
 * of a recurrent operator: the chain has a {@link Transpose} there, and reads and gives what the file
 * does. Final states may be outputs of its graph, beside y or alone: they are {@link
 * Chain.Run#states}, and where they are alone y is the output of the last of these layers. What goes
 * on from a final state, as a classifier of whole sequences does, is refused: in a chain each layer
 * reads all that the one before gives, and a state is not part of that.
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
    try {
      AtomicFile.write(path, file -> write(file, chain, wanted));
    } catch (OnnxException e) {
      throw new OnnxException(path, e);
    }
  }

  /** Writes a model to where it shall go. */
  static void write(WritableByteChannel file, Chain chain, Set<Input> inputs) throws IOException {
    try (var writing = Scope.open(Scope.current().device())) {
      var model = LayerWriter.model(chain, inputs);
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
   * @return its layers, their parameters in the innermost scope, on its device
   * @throws OnnxException if the file is missing, truncated or not sound, or holds what layers here do
   *     not compute; the message names the node
   * @throws IOException if it cannot be read
   */
  public static Chain load(Path path) throws IOException {
    try {
      if (!Files.isRegularFile(path)) throw new OnnxException("there is no such file");
      if (Files.size(path) > Integer.MAX_VALUE - Long.BYTES) {
        throw new OnnxException("larger than the 2 GiB of a protobuf file");
      }
      return parse(Files.readAllBytes(path));
    } catch (OnnxException e) {
      throw new OnnxException(path, e);
    }
  }

  /**
   * Reads a model from the bytes of a file.
   *
   * @param file its bytes
   * @return its layers, as of {@link #load}
   * @throws OnnxException if the bytes are not sound, or hold what layers here do not compute
   */
  public static Chain parse(byte[] file) {
    try (var reading = Scope.open(Scope.current().device())) {
      var chain = GraphReader.chain(GraphProto.ofModel(file));
      chain.parameters().forEach(named -> reading.keep(named.value()));
      return chain;
    }
  }
}
