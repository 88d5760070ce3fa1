//! What surrounds the database on a running host follows the stack file: on a simulated host, whose
//! own programs run.

use crate::place::Place;

const PLAN: &str = "plan --local stacks/dev.yaml --detailed-exitcode";
const APPLY: &str = "apply --local stacks/dev.yaml --auto-approve";

#[test]
fn another_dump_schedule_is_on_the_host_after_the_apply() {
    let place = Place::applied();
    let on_host = |file: &str| {
        let hosts = std::fs::read_dir(place.path(".lhctl/local/hosts")).unwrap();
        let host = hosts.map(|host| host.unwrap().path()).next().unwrap();
        std::fs::read_to_string(host.join(file)).unwrap()
    };
    let backup = "backup: { vault: lighthouse-dev-vault, schedule: cron(0 5 * * ? *), retain_days: 7, bucket: lighthouse-dumps, dump_schedule: weekly }";
    place.edit("\nssh:", &format!("\n{backup}\nssh:"));
    place.run(APPLY).expect(0).says("✓ update instance.main");
    assert!(on_host("etc/systemd/system/lhctl-backup.timer").contains("OnCalendar=weekly\n"));
    assert!(on_host("etc/lhctl/host.conf").contains("BUCKET='lighthouse-dumps'\n"));
    place.run(PLAN).expect(0).says("No changes.");

    // The image is another verb's; its schedule goes alone.
    place.edit("2.17.2-pg16", "2.18.0-pg16");
    place.edit("dump_schedule: weekly", "dump_schedule: hourly");
    place
        .run(PLAN)
        .expect(2)
        .says("dumps, logs, metrics and programs of the host")
        .says("Downtime       none")
        .says("`lhctl db upgrade` changes it.");
    place.run(APPLY).expect(0).says("0 added, 1 changed, 0 destroyed");
    assert!(on_host("etc/systemd/system/lhctl-backup.timer").contains("OnCalendar=hourly\n"));
    assert!(on_host("opt/docker-compose.yml").contains("2.17.2-pg16"));
    place.run(PLAN).expect(0);
}
