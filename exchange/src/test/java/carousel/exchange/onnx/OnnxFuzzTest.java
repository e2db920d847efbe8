package carousel.exchange.onnx;

import static carousel.exchange.onnx.GraphWriter.attribute;

import carousel.exchange.onnx.RecurrentWeights.Operator;
import carousel.nn.init.Init;
import carousel.nn.layer.Embedding;
import carousel.nn.layer.LayerNorm;
import carousel.nn.layer.Linear;
import carousel.nn.recurrent.Bidirectional;
import carousel.nn.recurrent.GruResetAfter;
import carousel.nn.recurrent.GruResetBefore;
import carousel.nn.recurrent.PeepholeLstm;
import carousel.nn.recurrent.Recurrent;
import carousel.tensor.Philox;
import carousel.tensor.TensorScope;
import carousel.tensor.fuzz.Fuzz;
import carousel.tensor.fuzz.Reader;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.Channels;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Damaged ONNX files. */
class OnnxFuzzTest {
  /** The field of a model that holds the graph. */
  private static final int GRAPH = 7;

  @TempDir Path folder;

  @Test
  void onnx() throws Exception {
    Fuzz.run(new OnnxReader(), folder);
  }

  private static final class OnnxReader implements Reader {
    private final List<byte[]> sound =
        List.of(
            chain(),
            operator(Operator.LSTM, "bidirectional", attribute("input_forget", 1L)),
            operator(Operator.GRU, "reverse", attribute("clip", 0.5)),
            operator(Operator.LSTM, "forward", attribute("layout", 1L)),
            operator(Operator.RNN, "forward", GraphWriter.texts("activations", List.of("Elu"))));

    @Override
    public String name() {
      return "onnx";
    }

    @Override
    public List<byte[]> sound() {
      return sound;
    }

    @Override
    public void read(Path file) throws IOException {
      Onnx.load(file);
    }

    @Override
    public Class<OnnxException> refusal() {
      return OnnxException.class;
    }

    /** Weights as they lie in the file, and transposed; small ones are rounded up by the pool. */
    @Override
    public long offHeap(long size) {
      return 8 * size + (1 << 15);
    }

    /** Damages one node, tensor or value of a sound graph, whose lengths all stay right. */
    @Override
    public byte[] mend(byte[] damaged, SplittableRandom random) {
      var model = new WireReader(sound.get(random.nextInt(sound.size())));
      var whole = new WireWriter();
      while (model.next()) {
        int field = model.field();
        if (field == GRAPH) {
          whole.message(field, graph(model.message(), random));
        } else if (field == 8) {
          whole.bytes(field, array(model));
        } else {
          model.skip();
        }
      }
      return Operators.bytes(whole);
    }

    private static WireWriter graph(WireReader graph, SplittableRandom random) {
      var whole = new WireWriter();
      while (graph.next()) {
        int field = graph.field();
        var part = array(graph);
        whole.bytes(field, random.nextInt(8) == 0 ? Fuzz.damaged(part, part, random) : part);
      }
      return whole;
    }

    private static byte[] array(WireReader in) {
      var bytes = in.bytes();
      var array = new byte[bytes.remaining()];
      bytes.get(array);
      return array;
    }
  }

  private static byte[] operator(Operator operator, String direction, WireWriter attribute) {
    var file =
        new Operators(
            operator,
            direction,
            2,
            3,
            1,
            operator == Operator.LSTM,
            List.of(attribute),
            true,
            true);
    try (var scope = TensorScope.open()) {
      return file.file(Philox.of(1));
    }
  }

  private static byte[] chain() {
    try (var scope = TensorScope.open()) {
      var rng = Philox.of(3);
      var init = Init.normal(0.5);
      var learned = Recurrent.of(GruResetAfter.of(2, 2, init, rng)).withLearnedStart();
      learned.start().getFirst().value().fill(0.5);
      var chain =
          Chain.of(
              Embedding.of(3, 2, init, rng),
              Bidirectional.of(PeepholeLstm.of(2, 1, init, rng), PeepholeLstm.of(2, 1, init, rng)),
              learned,
              Recurrent.reverse(GruResetBefore.of(2, 2, init, rng)),
              LayerNorm.of(2),
              new Transpose(),
              Linear.of(2, 3, init, rng));
      var out = new ByteArrayOutputStream();
      Onnx.write(Channels.newChannel(out), chain, Set.of());
      return out.toByteArray();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
