//! Every recorded batch and answer, both ways.

use crate::exchange;

#[test]
fn every_batch_and_answer_decodes_to_the_last_octet_and_encodes_back() {
    for folder in ["main", "extra", "compressed"] {
        for e in exchange::folder(folder) {
            let batch = match e.batch {
                Ok(b) => b,
                Err(error) => {
                    println!(
                        "REQ {} {error} {:02x?}",
                        e.name,
                        &e.asked[..e.asked.len().min(80)]
                    );
                    continue;
                }
            };
            if batch.encode() != e.asked {
                println!("REQ-DIFF {}", e.name)
            }
            match e.answers {
                Ok(answers) => {
                    if answers.is_empty() {
                        println!("NO ANSWER {}", e.name)
                    }
                    for (a, b) in answers.iter().zip(&e.answered) {
                        if &a.encode() != b {
                            println!(
                                "RSP-DIFF {} \n{:02x?}\n{:02x?} {a:?}",
                                e.name,
                                a.encode(),
                                b
                            )
                        }
                    }
                }
                Err(error) => println!(
                    "RSP {} {error} {:02x?}",
                    e.name,
                    e.answered
                        .iter()
                        .map(|a| &a[..a.len().min(100)])
                        .collect::<Vec<_>>()
                ),
            }
        }
    }
}
