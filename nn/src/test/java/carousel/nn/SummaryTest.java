package carousel.nn;

import static org.assertj.core.api.Assertions.assertThat;

import carousel.nn.init.Init;
import carousel.nn.layer.Activation;
import carousel.nn.layer.Embedding;
import carousel.nn.layer.Linear;
import carousel.nn.layer.Sequential;
import carousel.nn.layer.TiedLinear;
import carousel.nn.recurrent.Lstm;
import carousel.nn.recurrent.Recurrent;
import carousel.tensor.DType;
import carousel.tensor.Philox;
import carousel.tensor.Tensor;
import carousel.tensor.TensorScope;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.Test;

class SummaryTest {
  private record Gates(Parameter open, Parameter shut) {}

  private record Model(
      Embedding embed,
      Recurrent<?> lstm,
      Sequential net,
      TiedLinear head,
      Gates gates,
      Parameter scale)
      implements Layer {}

  private static Model model() {
    var rng = Philox.of(1);
    var init = Init.normal(1);
    var embed = Embedding.of(1000, 64, init, rng);
    return new Model(
        embed,
        Recurrent.of(Lstm.of(64, 64, init, rng)),
        Sequential.of(Linear.withoutBias(64, 64, init, rng), Tensor::softplus, Activation.TANH),
        Linear.tied(embed),
        new Gates(Parameter.of(Tensor.zeros(DType.F64, 2)), Parameter.of(Tensor.zeros(3))),
        Parameter.of(Tensor.zeros()));
  }

  @Test
  void isATable() {
    try (var scope = TensorScope.open()) {
      var before = Locale.getDefault();
      Locale.setDefault(Locale.forLanguageTag("ar-EG")); // digits of its own
      try {
        assertThat(Summary.of(model()).toString())
            .isEqualTo(
                """
                layer      kind        weights                                   parameters
                           Model       gates.open [2], gates.shut [3], scale []           6
                embed      Embedding   weight [1000,64]                              64,000
                lstm       Recurrent
                lstm.cell  Lstm        wx [64,256], wh [64,256], b [256]             33,024
                net        Sequential
                net.0      Linear      weight [64,64]                                 4,096
                net.1      function
                net.2      TANH
                head       TiedLinear  weight = embed.weight, bias [1000]             1,000
                total                  9 tensors                                    102,126
                                       408,512 bytes
                """);
      } finally {
        Locale.setDefault(before);
      }
    }
  }

  @Test
  void countsWhatParametersCount() {
    try (var scope = TensorScope.open()) {
      var model = model();
      var summary = Summary.of(model);
      assertThat(summary.parameters()).isEqualTo(model.parameters().count());
      assertThat(summary.tensors()).isEqualTo(model.parameters().size());
      assertThat(summary.bytes()).isEqualTo(4 * (model.parameters().count() - 2) + 8 * 2);
      assertThat(summary.rows().stream().mapToLong(Summary.Row::parameters).sum())
          .isEqualTo(summary.parameters());
      assertThat(Summary.of(model.lstm()).rows().getFirst())
          .isEqualTo(new Summary.Row("", "Recurrent", List.of(), 0));
    }
  }
}
