package carousel.exchange.pytorch;

import carousel.nn.Layer;
import carousel.nn.Parameter;
import carousel.nn.init.Init;
import carousel.nn.layer.Dropout;
import carousel.nn.layer.Embedding;
import carousel.nn.layer.LayerNorm;
import carousel.nn.layer.Linear;
import carousel.nn.recurrent.Bidirectional;
import carousel.nn.recurrent.Lstm;
import carousel.nn.recurrent.Sequence;
import carousel.nn.recurrent.Stacked;
import carousel.tensor.Philox;
import java.util.List;

/** A module with all that the table knows. */
record Model(
    Embedding embed,
    Sequence lstm,
    List<Linear> hidden,
    LayerNorm norm,
    Parameter scale,
    Dropout dropout)
    implements Layer {
  static Model of(Philox rng) {
    var init = Init.uniform(1);
    var pair = Bidirectional.of(Lstm.of(3, 2, init, rng), Lstm.of(3, 2, init, rng));
    var above = Bidirectional.of(Lstm.of(4, 2, init, rng), Lstm.of(4, 2, init, rng));
    return new Model(
        Embedding.of(9, 3, init, rng),
        Stacked.of(pair, above),
        List.of(Linear.of(4, 5, init, rng), Linear.withoutBias(5, 6, init, rng)),
        LayerNorm.of(6),
        init.parameter(rng),
        new Dropout(0.5));
  }
}
