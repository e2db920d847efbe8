package org.example;

import carousel.nn.data.PaddedBatch;
import carousel.nn.data.SpecialTokens;
import carousel.nn.data.TokenLevel;
import carousel.nn.data.Vocabulary;
import carousel.tensor.Philox;
import carousel.tensor.Tensor;
import java.time.LocalDate;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/** {@code source [S,N]; target [T,N]}, which begins with the start and ends with the end. */
record Batch(List<String> dates, PaddedBatch source, Tensor target) {
  static final LocalDate FIRST = LocalDate.of(1950, 1, 1);
  static final int DAYS = 27_394; // to the end of 2024
  static final List<DateTimeFormatter> FORMS =
      forms("d MMMM uuuu", "MMM d, uuuu", "EEEE, MMMM d, uuuu", "d.M.uuuu");

  // Ids 0 to 3 are those of the special tokens: unknown, end, padding, start.
  static final Vocabulary CHARS =
      Vocabulary.ofText(TokenLevel.CHARACTER, everyCharacter())
          .withSpecials(SpecialTokens.standard().withPadding("<pad>").withStart("<s>"));
  static final int PADDING = CHARS.padding().getAsInt();

  static Batch of(Philox rng, boolean heldOut) {
    List<String> dates = new ArrayList<>(), sources = new ArrayList<>();
    while (dates.size() < Dates.ROWS) {
      LocalDate day = FIRST.plusDays(rng.nextInt(DAYS));
      if (day.toEpochDay() % 5 == 0 != heldOut) {
        continue; // no day is in both
      }
      dates.add(day.toString());
      sources.add(FORMS.get(rng.nextInt(FORMS.size())).format(day));
    }
    var read = PaddedBatch.of(sources.stream().map(CHARS::encode).toList(), PADDING);
    var target = PaddedBatch.of(dates.stream().map(CHARS::encodeSequence).toList(), PADDING);
    return new Batch(dates, read, target.tokens());
  }

  static List<DateTimeFormatter> forms(String... patterns) {
    return Arrays.stream(patterns)
        .map(p -> DateTimeFormatter.ofPattern(p, Locale.ENGLISH))
        .toList();
  }

  static String everyCharacter() {
    var text = new StringBuilder("0123456789-");
    for (int day = 0; day < 366; day++) {
      for (var form : FORMS) {
        text.append(form.format(FIRST.plusDays(day)));
      }
    }
    return text.toString();
  }
}
