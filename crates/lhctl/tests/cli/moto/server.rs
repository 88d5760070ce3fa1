//! A moto server, and the few questions that are put to it by hand.

use std::{
    ffi::OsStr,
    io::{Read, Write},
    net::TcpStream,
};

use base64::{Engine, prelude::BASE64_STANDARD};

use super::Living;

/// A public key of nobody's; moto checks that it is one.
const PUBLIC_KEY: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIH+YTAEcBqIsFTyJtB4RQDur2JfMJJHkrm28QaJhuQif lighthouse";

/// A server that ends with the test, and what is asked of it by hand.
pub struct Moto {
    server: lh_testkit::Moto,
    pub url: String,
}

impl Moto {
    pub fn start(program: &OsStr) -> Self {
        let server = lh_testkit::Moto::start(program);
        let url = server.url();
        Self { server, url }
    }

    /// One request as AWS's query or JSON protocol has it.
    fn ask(&self, service: &str, headers: &str, body: &str) -> String {
        self.send("POST /", service, headers, body)
    }

    /// One request; moto looks only at the service that the signature names.
    fn send(&self, line: &str, service: &str, headers: &str, body: &str) -> String {
        let mut stream = TcpStream::connect(&self.server.address).unwrap();
        let credential = format!("Credential=test/20260101/us-east-1/{service}/aws4_request");
        write!(
            stream,
            "{line} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n{headers}\
             Authorization: AWS4-HMAC-SHA256 {credential}, SignedHeaders=host, Signature=none\r\n\
             Content-Length: {}\r\n\r\n{body}",
            self.server.address,
            body.len()
        )
        .unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        let answer = String::from_utf8_lossy(&answer).into_owned();
        assert!(answer.starts_with("HTTP/1.1 20"), "{body}: {answer}");
        answer
    }

    fn query(&self, service: &str, version: &str, query: &str) -> String {
        let headers = "Content-Type: application/x-www-form-urlencoded\r\n";
        self.ask(service, headers, &format!("Action={query}&Version={version}"))
    }

    fn ec2(&self, query: &str) -> String {
        self.query("ec2", "2016-11-15", query)
    }

    pub fn import_key_pair(&self, name: &str) {
        let material = BASE64_STANDARD.encode(PUBLIC_KEY).replace('+', "%2B").replace('=', "%3D");
        self.ec2(&format!("ImportKeyPair&KeyName={name}&PublicKeyMaterial={material}"));
    }

    /// The network and the hosted zone that the production stack finds.
    pub fn make_surroundings(&self) {
        let id = |answer: &str, tag: &str| {
            let (_, rest) = answer.split_once(&format!("<{tag}>")).unwrap();
            rest.split_once('<').unwrap().0.to_owned()
        };
        let name = |id: &str, name: &str| {
            self.ec2(&format!("CreateTags&ResourceId.1={id}&Tag.1.Key=Name&Tag.1.Value={name}"));
        };
        let vpc = id(&self.ec2("CreateVpc&CidrBlock=10.0.0.0/16"), "vpcId");
        name(&vpc, "lighthouse-prod-vpc");
        let subnet =
            self.ec2(&format!("CreateSubnet&VpcId={vpc}&CidrBlock=10.0.1.0/24&AvailabilityZone=us-east-1a"));
        name(&id(&subnet, "subnetId"), "lighthouse-prod-private-subnet");
        let group = "GroupName=lighthouse-prod-backend-sg&GroupDescription=backend";
        self.ec2(&format!("CreateSecurityGroup&VpcId={vpc}&{group}"));
        let zone = "<CreateHostedZoneRequest xmlns=\"https://route53.amazonaws.com/doc/2013-04-01/\">\
                    <Name>ultravioletadao.xyz</Name><CallerReference>test</CallerReference>\
                    </CreateHostedZoneRequest>";
        self.send("POST /2013-04-01/hostedzone", "route53", "Content-Type: text/xml\r\n", zone);
    }

    /// An image that Graviton instances can start from.
    pub fn arm64_image(&self) -> String {
        let answer = self.ec2("DescribeImages&Filter.1.Name=architecture&Filter.1.Value.1=arm64");
        let (_, rest) = answer.split_once("<imageId>").unwrap();
        rest.split_once('<').unwrap().0.to_owned()
    }

    /// What lives of the stack.
    pub fn living(&self, stack: &str) -> Living {
        let named = format!("Filter.1.Name=tag:lhctl:stack&Filter.1.Value.1={stack}");
        let states = "Filter.2.Name=instance-state-name&Filter.2.Value.1=pending&Filter.2.Value.2=running\
                      &Filter.2.Value.3=stopping&Filter.2.Value.4=stopped";
        let count = |answer: String, mark: &str| answer.matches(mark).count();
        Living {
            instances: count(self.ec2(&format!("DescribeInstances&{named}&{states}")), "<reservationId>"),
            volumes: count(
                self.ec2("DescribeVolumes&Filter.1.Name=tag:lhctl:resource&Filter.1.Value.1=volume.data"),
                "<createTime>",
            ),
            addresses: count(self.ec2("DescribeAddresses"), "<publicIp>"),
            groups: count(self.ec2(&format!("DescribeSecurityGroups&{named}")), "<groupDescription>"),
            roles: count(
                self.query("iam", "2010-05-08", "ListRoles"),
                &format!("<RoleName>{stack}-timescaledb<"),
            ),
            parameters: count(self.parameters(), "/lighthouse/dev/db/password\""),
            alarms: count(self.query("monitoring", "2010-08-01", "DescribeAlarms"), "<AlarmName>"),
            topics: count(self.query("sns", "2010-03-31", "ListTopics"), "<TopicArn>"),
            secrets: count(
                self.json("secretsmanager", "secretsmanager.ListSecrets"),
                "\"Name\": \"lighthouse/prod/db/password\"",
            ),
            log_groups: count(self.json("logs", "Logs_20140328.DescribeLogGroups"), "\"logGroupName\""),
        }
    }

    /// How many snapshots are the stack's own.
    pub fn snapshots(&self, stack: &str) -> usize {
        let answer =
            self.ec2(&format!("DescribeSnapshots&Filter.1.Name=tag:lhctl:stack&Filter.1.Value.1={stack}"));
        answer.matches("<snapshotId>").count()
    }

    fn json(&self, service: &str, target: &str) -> String {
        let headers = format!("Content-Type: application/x-amz-json-1.1\r\nX-Amz-Target: {target}\r\n");
        self.ask(service, &headers, "{}")
    }

    fn parameters(&self) -> String {
        let answer = self.json("ssm", "AmazonSSM.DescribeParameters");
        // Only the names, not the ARNs that end like them.
        answer.split("\"Name\": ").skip(1).map(|part| part.lines().next().unwrap_or_default()).collect()
    }
}
