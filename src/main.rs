//! temporary
fn main() {
    let mut ops = 0;
    let mut bad = 0;
    for path in std::env::args().skip(1) {
        let file = std::fs::File::open(&path).unwrap();
        let r = eureka_sim::replay::replay(std::io::BufReader::new(flate2::read::MultiGzDecoder::new(file))).unwrap();
        ops += r.operations;
        if r.divergences > 0 {
            bad += 1;
            let f = r.first.unwrap();
            println!("{path}: {} divergences, first line {} {} {:?}", r.divergences, f.line, f.path, f.values_at_path());
        }
    }
    println!("{ops} ops, {bad} bad files");
}
