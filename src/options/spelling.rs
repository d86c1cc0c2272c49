//! Suggestions for misspelled option names.

/// Returns the known name that is most similar to a misspelled one, or `None` if none is similar.
/// Case and underscores are ignored, so that `api_key` finds `apiKey`.
pub fn nearest(name: &str, known: &[&[&'static str]]) -> Option<&'static str> {
    let misspelled = normalize(name);
    let max_distance = 2.max(misspelled.len() / 4);
    known
        .iter()
        .copied()
        .flatten()
        .map(|known| (edit_distance(&misspelled, &normalize(known)), *known))
        .filter(|(distance, _)| *distance <= max_distance)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, known)| known)
}

fn normalize(name: &str) -> String {
    let letters = name.chars().filter(|letter| *letter != '_');
    letters.map(|letter| letter.to_ascii_lowercase()).collect()
}

/// Returns the number of insertions, deletions, substitutions and transpositions of adjacent
/// characters between two words (optimal string alignment).
fn edit_distance(from: &str, to: &str) -> usize {
    let at = |row: &[usize], column: usize| row.get(column).copied().unwrap_or(usize::MAX - 1);
    let mut row_before_last: Vec<usize> = Vec::new();
    let mut last_row: Vec<usize> = (0..=to.len()).collect();
    let mut last_from = None;
    for (index, from) in from.bytes().enumerate() {
        let mut row = vec![index + 1];
        let mut last_to = None;
        for (column, to) in to.bytes().enumerate() {
            let substitution = at(&last_row, column) + usize::from(from != to);
            let deletion = at(&last_row, column + 1) + 1;
            let insertion = at(&row, column) + 1;
            let mut distance = substitution.min(deletion).min(insertion);
            if last_from == Some(to) && last_to == Some(from) {
                distance = distance.min(at(&row_before_last, column - 1) + 1);
            }
            row.push(distance);
            last_to = Some(to);
        }
        (row_before_last, last_row) = (last_row, row);
        last_from = Some(from);
    }
    at(&last_row, to.len())
}

#[cfg(test)]
mod tests {
    use super::edit_distance;

    #[test]
    fn counts_a_transposition_as_one_edit() {
        assert_eq!(edit_distance("", ""), 0);
        assert_eq!(edit_distance("", "abc"), 3);
        assert_eq!(edit_distance("abc", ""), 3);
        assert_eq!(edit_distance("apikey", "apikey"), 0);
        assert_eq!(edit_distance("apiky", "apikey"), 1);
        assert_eq!(edit_distance("aipkey", "apikey"), 1);
        assert_eq!(edit_distance("kitten", "sitting"), 3);
    }
}
