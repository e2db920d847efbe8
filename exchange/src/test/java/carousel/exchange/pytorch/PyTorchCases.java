package carousel.exchange.pytorch;

import carousel.nn.Layer;
import carousel.nn.init.Init;
import carousel.nn.layer.Activation;
import carousel.nn.layer.Embedding;
import carousel.nn.layer.LayerNorm;
import carousel.nn.layer.Linear;
import carousel.nn.recurrent.Bidirectional;
import carousel.nn.recurrent.Cell;
import carousel.nn.recurrent.Cells;
import carousel.nn.recurrent.Elman;
import carousel.nn.recurrent.GruResetAfter;
import carousel.nn.recurrent.Lstm;
import carousel.nn.recurrent.Recurrent;
import carousel.nn.recurrent.RecurrentState;
import carousel.nn.recurrent.Sequence;
import carousel.nn.recurrent.Stacked;
import carousel.tensor.DType;
import carousel.tensor.Philox;
import carousel.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.UnaryOperator;

/** The models that PyTorch has, too: every cell in every arrangement, and one of all layers. */
final class PyTorchCases {
  private static final int T = 9;
  private static final int N = 4;
  private static final int D = 5;
  private static final int H = 7;
  private static final String WITHOUT_BIAS = "\"bias\":false";

  private final DType dtype;
  private final Init init;
  private final Philox rng = Philox.of(11);
  private final Tensor x;
  private final List<Case> cases = new ArrayList<>();

  private PyTorchCases(DType dtype) {
    this.dtype = dtype;
    this.init = Init.uniform(0.5).as(dtype);
    this.x = rng.normal(dtype, 0, 1, T, N, D);
  }

  /**
   * A model.
   *
   * @param module what PyTorch calls it: the metadata that referee.py reads
   * @param model the weights
   * @param x the input
   * @param run gives the output
   */
  record Case(
      String name,
      DType dtype,
      Map<String, String> module,
      Layer model,
      Tensor x,
      UnaryOperator<Tensor> run) {
    Tensor output() {
      return run.apply(x);
    }

    /** The modules made with bias=False. */
    Set<String> withoutBias() {
      String options = module.getOrDefault("options", "");
      return options.contains(WITHOUT_BIAS) ? Set.of("rnn") : Set.of();
    }

    @Override
    public String toString() {
      return dtype + "-" + name;
    }
  }

  /** All of them, in both types. */
  static List<Case> all() {
    var all = new ArrayList<Case>();
    for (var dtype : List.of(DType.F32, DType.F64)) {
      var cases = new PyTorchCases(dtype);
      for (var option : List.of("", WITHOUT_BIAS)) {
        cases.cell("LSTM", option, Lstm::of);
        cases.cell("GRU", option, GruResetAfter::of);
        cases.cell("RNN", option, elman(Activation.TANH));
        cases.cell("RNN", join("\"nonlinearity\":\"relu\"", option), elman(Activation.RELU));
      }
      cases.tagger();
      all.addAll(cases.cases);
    }
    return all;
  }

  private static Cells.Factory elman(Activation f) {
    return (d, h, init, rng) -> Elman.of(f, d, h, init, rng);
  }

  record Module(Layer rnn) implements Layer {}

  private void cell(String kind, String option, Cells.Factory factory) {
    sequence(kind, option, "one", H, Recurrent.of(make(factory, D, H)));
    sequence(kind, option, "square", D, Recurrent.of(make(factory, D, D)));
    var below = Recurrent.of(make(factory, D, H));
    var above = Recurrent.of(make(factory, H, H));
    sequence(kind, join("\"num_layers\":2", option), "stack", H, Stacked.of(below, above));
    String both = join("\"bidirectional\":true", option);
    sequence(kind, both, "pair", H, pair(factory, D));
    var pairs = Stacked.of(pair(factory, D), pair(factory, 2 * H), pair(factory, 2 * H));
    sequence(kind, join("\"num_layers\":3", both), "pairs", H, pairs);
    var alone = make(factory, D, H);
    add(kind + "Cell", option, "", H, new Module(alone), x.select(0, 0), step -> step(alone, step));
  }

  private static String join(String one, String other) {
    return other.isEmpty() ? one : one + "," + other;
  }

  private Cell<?> make(Cells.Factory factory, int inputs, int hidden) {
    return filled(factory.make(inputs, hidden, init, rng));
  }

  private Sequence pair(Cells.Factory factory, int inputs) {
    return Bidirectional.of(make(factory, inputs, H), make(factory, inputs, H));
  }

  private <L extends Layer> L filled(L layer) {
    for (var named : layer.parameters()) {
      named.parameter().assign(rng.uniform(dtype, -0.5, 0.5, named.value().shape().toArray()));
    }
    return layer;
  }

  private static <S extends RecurrentState> Tensor step(Cell<S> cell, Tensor x) {
    Tensor z = cell.project(x.unsqueeze(0)).select(0, 0);
    return cell.output(cell.step(z, cell.zero(x.dim(0))));
  }

  private void sequence(String kind, String options, String what, int hidden, Sequence layer) {
    add(kind, options, "-" + what, hidden, new Module(layer), x, layer::apply);
  }

  private void add(
      String kind,
      String options,
      String what,
      int hidden,
      Layer model,
      Tensor input,
      UnaryOperator<Tensor> run) {
    String relu = options.contains("relu") ? "-relu" : "";
    String bias = options.contains(WITHOUT_BIAS) ? "-without-bias" : "";
    if (!bias.isEmpty()) {
      clearBiases(model);
    }
    var module =
        Map.of(
            "module",
            kind,
            "dtype",
            dtype == DType.F32 ? "float32" : "float64",
            "sizes",
            List.of(D, hidden).toString(),
            "options",
            "{" + options + "}");
    cases.add(new Case(kind + relu + what + bias, dtype, module, model, input, run));
  }

  private static void clearBiases(Layer model) {
    for (var named : model.parameters()) {
      if (named.value().rank() == 1) {
        named.value().fill(0);
      }
    }
  }

  record Tagger(Embedding embed, Sequence lstm, LayerNorm norm, List<Linear> hidden, Linear head)
      implements Layer {
    Tensor logits(Tensor tokens) {
      Tensor y = norm.apply(lstm.apply(embed.apply(tokens)));
      for (var layer : hidden) {
        y = layer.apply(y).tanh();
      }
      return head.apply(y);
    }
  }

  private void tagger() {
    int vocabulary = T * N;
    int classes = 3;
    var model =
        filled(
            new Tagger(
                Embedding.of(vocabulary, D, init, rng),
                Stacked.of(pair(Lstm::of, D), pair(Lstm::of, 2 * H)),
                LayerNorm.of(dtype, 2 * H),
                List.of(Linear.of(2 * H, H, init, rng), Linear.withoutBias(H, H, init, rng)),
                Linear.of(H, classes, init, rng)));
    var module =
        Map.of(
            "module",
            "Tagger",
            "dtype",
            dtype == DType.F32 ? "float32" : "float64",
            "sizes",
            List.of(vocabulary, D, H, classes).toString());
    Tensor tokens = Tensor.arange(vocabulary).flip(0).reshape(T, N);
    cases.add(new Case("Tagger", dtype, module, model, tokens, model::logits));
  }
}
